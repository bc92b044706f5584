"""From a bare Python to a command that runs inside the virtual environment."""

import errno
import importlib
import signal

from . import console, process, virtualenv
from .problem import Problem

# These need no Odoo, and bring a virtual environment of their own.
_WITHOUT_ODOO = {"lint"}


def run(command, arguments):
    """Run a command; return its exit code. What goes wrong is said in one message.

    A command's module has ``parse(arguments)``, which refuses early what cannot
    work, and ``run``. It imports nothing at its top that only the virtual
    environment has.
    """
    process.guard()
    try:
        module = importlib.import_module(f".commands.{command}", __package__)
        options = module.parse(arguments)
        if command in _WITHOUT_ODOO:
            return module.run(options)
        return _run_with_odoo(module, options)
    except Problem as problem:
        console.say_problem(problem)
        return 1
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        console.say_problem(Problem("The disk is full.", "Free some space."))
        return 1
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except process.Terminated as terminated:
        return 128 + terminated.args[0]
    finally:
        process.stop_descendants()


def _run_with_odoo(module, options):
    requirements = virtualenv.SCRIPT / "requirements.txt"
    virtualenv.enter(virtualenv.ensure("odoo", requirements))
    from .environment import prepared

    with prepared() as workbench:
        return module.run(workbench, options)
