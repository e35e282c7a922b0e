"""The operator without one of its plugins, to show that a test notices: `python switched_off.py PLUGIN run ...`."""

import sys

from hydatis.operator.command_line import main
from hydatis.sandbox.verifying.judging import plugin_names, restricted
from hydatis.scheduler import scheduler
from hydatis.scheduler.profile import Profile


def profile_without(plugin: str) -> Profile:
    """kube-scheduler's profile, less one plugin. Raises ValueError where it has none of that name."""
    names = list(plugin_names(Profile()))
    names.remove(plugin)
    return restricted(Profile(), tuple(names))


if __name__ == "__main__":
    switched_off = profile_without(sys.argv.pop(1))
    # The core makes its profile by this name.
    vars(scheduler)["Profile"] = lambda: switched_off
    # A binding is looked over once more before it leaves, and one whose ports are taken is withdrawn.
    scheduler.Scheduler.why_withdraw = lambda self, uid: None  # type: ignore[method-assign]
    main()
