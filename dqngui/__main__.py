"""The command line: `dqngui [gui] | train | play | runs | queue | work | sweep | steer | compare | backtest | export`.

Exit status: 0 done, 1 an error in dqngui, 2 a mistake in the user's input or in an environment (one sentence on
standard error says which), 3 stopped by `--break`, 130 interrupted with a checkpoint saved.
"""

import sys

from dqngui.safe_path import leave_present_folder  # and nothing else yet: see there

DONE, OUR_FAULT, USERS_MISTAKE, INTERRUPTED = 0, 1, 2, 130


def main(argv: list[str]) -> int:
    """Run one command and return the exit status."""
    import contextlib
    import importlib
    import os
    import traceback

    from dqngui.commands.arguments import UsageError, parse, with_absolute_paths
    from dqngui.commands.console import make_printable
    from dqngui.config import ConfigError
    from dqngui.texts import say, words

    make_printable()
    try:
        name, arguments = parse(argv)
        arguments = with_absolute_paths(arguments)
        from dqngui.commands.output import own_standard_output  # not imported for --help, which answers at once

        command = importlib.import_module(f"dqngui.commands.{name}")
        with own_standard_output() if getattr(arguments, "json", False) else contextlib.nullcontext():
            status: int = command.run(arguments)
        sys.stdout.flush()
        return status
    except UsageError as error:
        print(words(str(error)), file=sys.stderr)
        return USERS_MISTAKE
    except ConfigError as error:
        print(say("shown.error", problem=error), file=sys.stderr)
        return USERS_MISTAKE
    except BrokenPipeError:
        # The reader of the pipe (`| head`) has closed it. Without this, Python fails once more when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except KeyboardInterrupt:
        return INTERRUPTED
    except OSError as error:
        if error.filename is not None:
            traceback.print_exc()
        print(say("shown.no_output", problem=error), file=sys.stderr)
        return OUR_FAULT
    except Exception:
        traceback.print_exc()
        print(say("shown.our_fault"), file=sys.stderr)
        return OUR_FAULT


def console() -> None:
    """Entry point of the console script and of `python -m dqngui`."""
    leave_present_folder()
    try:
        status = main(sys.argv[1:])
    except OSError:  # standard error cannot be written any more
        status = OUR_FAULT
    from dqngui.hosts.leaving import leave

    leave(status)


if __name__ == "__main__":
    console()
