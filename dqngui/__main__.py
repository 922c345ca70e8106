"""The command line: `dqngui [gui] | train | play | runs`.

Exit status: 0 done, 1 an error in dqngui, 2 a mistake in the user's input or in an environment (one sentence on standard
error says which), 3 stopped by `--break`, 130 interrupted with a checkpoint saved.
"""

from __future__ import annotations

import importlib
import os
import sys
import traceback
from collections.abc import Sequence

from dqngui.commands.arguments import UsageError, parse
from dqngui.config import ConfigError
from dqngui.texts import say

DONE, OUR_FAULT, USERS_MISTAKE, INTERRUPTED = 0, 1, 2, 130


def main(argv: Sequence[str]) -> int:
    """Run one command and return the exit status."""
    try:
        name, arguments = parse(argv)
        command = importlib.import_module(f"dqngui.commands.{name}")
        status: int = command.run(arguments)
        sys.stdout.flush()
        return status
    except UsageError as error:
        print(error, file=sys.stderr)
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
    except Exception:
        traceback.print_exc()
        print(say("shown.our_fault"), file=sys.stderr)
        return OUR_FAULT


def console() -> None:
    """Entry point of the console script."""
    sys.exit(main(sys.argv[1:]))


if __name__ == "__main__":
    console()
