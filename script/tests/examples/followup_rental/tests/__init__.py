from . import test_rental
