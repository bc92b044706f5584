from . import test_verdict_tours
