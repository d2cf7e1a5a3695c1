"""The number of examples that hypothesis tries: HYPOTHESIS_PROFILE is "fast", "ci" (the default) or "nightly".

And Ctrl-C, which a job in the background of a shell ignores, as do the processes that it starts; some tests press it.
"""

import os
import signal

from hypothesis import HealthCheck, settings

# No deadline: these machines are shared, and a slow example is not a wrong one. Derandomized, so that what passes
# here passes there; "nightly" looks elsewhere each time.
_SLOW = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow, HealthCheck.data_too_large]}
settings.register_profile("fast", max_examples=20, derandomize=True, database=None, **_SLOW)
settings.register_profile("ci", max_examples=100, derandomize=True, database=None, **_SLOW)
settings.register_profile("nightly", max_examples=5000, print_blob=True, **_SLOW)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
