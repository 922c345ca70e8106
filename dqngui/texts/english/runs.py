"""The sentences about the files of runs, about hosts, and about failures."""

from __future__ import annotations

from dqngui.texts.language import Plural

TEMPLATES: dict[str, str | Plural] = {
    "zoo.source": "trained zoo agent, test return {mean:g}",
    "zoo.trained": "trained agent from the zoo, by dqngui {version} in {seconds:.0f} s with: {command}",
    "zoo.none": "the zoo has no trained agent of `{name}`; it has: {known}",
    "zoo.damaged": "the trained agent of `{name}` in the zoo cannot be read: {problem}",
    "zoo.stale": (
        "the zoo's trained agent of `{name}` has other settings than its preset has now ({settings}), so it is not "
        "played; train the preset anew: `dqngui train {name}`"
    ),
    "run.none": "there is no run `{run}`",
    "run.not_one": "`{folder}` is not a run's folder: it has no {file}",
    "run.folder_not_made": "cannot make a run's folder in `{runs}`: {problem}",
    "run.not_listed": "cannot list the runs in `{runs}`: {problem}",
    "run.busy_here": "`{folder}` is being trained here already; stop it first",
    "run.busy_elsewhere": "`{folder}` is being trained by process {pid:d}; stop it first",
    "run.busy_somewhere": "`{folder}` is being trained by another process; stop it first",
    "run.no_locks": (
        "`{folder}` lies on a file system without locks, so nothing tells whether another process still trains it; "
        "copy it to a local disk and resume it there"
    ),
    "run.taken_over": "another process trains `{folder}` now, because its file writer.lock was removed",
    "run.exists": "`{folder}` already holds a run; resume it or start a new one",
    "run.exists_fork": "`{folder}` already holds a run; fork into a new folder",
    "run.holds_link": (
        "`{path}` is a link, so this run is not written: something outside its folder could be changed; replace the "
        "link by what it leads to, or delete it"
    ),
    "run.holds_special": "`{path}` is neither a file nor a folder, so this run is not written; delete it",
    "run.holds_wrong": "`{path}` is a folder in place of a file, or a file in place of a folder; move it away",
    "run.holds_second_name": (
        "`{path}` has a second name elsewhere (a hard link), and writing would change both, so this run is not "
        "written; replace it by a copy"
    ),
    "labels.damaged": "`{path}` is damaged, so this run is shown without labels",
    "labels.not_written": "cannot write `{path}`: {problem}",
    "labels.tag": "the tag `{tag}` is not allowed: 1 to {most:d} characters, without spaces, commas and quotes",
    "labels.tags": "a run has at most {most:d} tags",
    "labels.long": "the {field} has {length:,} characters, and at most {most:,} are allowed",
    "archive.exists": "`{file}` exists already; choose another name, or delete it",
    "archive.not_written": "cannot write `{file}`: {problem}",
    "archive.not_read": "the run in `{file}` cannot be taken in: {problem}",
    "archive.damaged": "`{file}` is damaged or no zip file",
    "archive.no_run": "`{file}` holds no run: it has no {needed}, or more than one folder",
    "archive.too_many": "`{file}` holds {count:,} files, and a run has at most {most:,}; nothing of it was taken in",
    "archive.too_large": (
        "unpacked, `{file}` has {size:,.0f} MB, and at most {most:,.0f} MB are taken in; nothing of it was"
    ),
    "archive.refused": "`{file}` was not taken in, because of what it holds as `{name}`: {problem}",
    "archive.special": "it is a link or a special file",
    "archive.encrypted": "it is encrypted",
    "archive.method": "it is packed by a method other than deflate",
    "archive.unknown": "a run's folder holds no such file",
    "archive.twice": "it is there twice",
    "archive.large_entry": "it has more than {most:,.0f} MB",
    "query.no_such": "no setting or figure is called `{name}`; some that are: {some}",
    "query.no_name": "before `{sign}` the name of a setting or figure is missing",
    "query.no_value": "after `{name}{sign}` a value is missing",
    "query.not_number": "`{name}` is compared with a number, and `{value}` is none",
    "query.no_order": "`{name}` is a text, so it is compared by = and !=, not by {sign}",
    "query.not_date": "`{name}` is a date, as 2026-11, 2026-11-01 or 2026-11-01T14:30; `{value}` is none",
    "query.too_long": "a filter has at most {most:,} characters",
    "run.not_discarded": "there is no discarded run `{folder}`",
    "run.not_moved": "cannot move `{folder}` to `{place}`: {problem}",
    "run.trash_not_emptied": "cannot empty `{trash}`: {problem}",
    "trust.asked": (
        "the run in `{folder}` imports code that is not part of dqngui or of a package that it knows: {names}. "
        "Imported code can do all that you can, so it plays and trains only once you trust the run: by --trust, or by "
        "Trust this run in the window"
    ),
    "trust.question": (
        "This run imports code that is not part of dqngui or of a package that it knows: {names}. Imported code can do "
        "all that you can, so trust only a run whose origin you know. Its curves and settings can be read without."
    ),
    "trust.plays_later": "Trust this run to see its agent play.",
    "trust.never_plays": "The code of this run is not imported, so its agent does not play here.",
    "trust.tried_later": "trust this run first: its environment is tried only then",
    "trust.other_run": (
        "that run imports code that nobody has trusted yet: {names}. Open it and choose Trust this run, then compare"
    ),
    "trust.inside": "the run in `{folder}` asks to import `{file}`, and code inside a folder of runs is never imported",
    "log.damaged_line": "`{path}`, line {line:d} is damaged: {problem}",
    "log.damaged_lines": Plural(
        "count",
        {
            "one": "`{path}` has {count:,} damaged line, line {line:,}: {problem}",
            "other": "`{path}` has {count:,} damaged lines, the first is line {line:,}: {problem}",
        },
    ),
    "log.too_long": "it is longer than {most:d} MB",
    "log.not_logged": "a log holds no event {event}",
    "log.number": "it has a number that no run can reach",
    "log.unreadable": "`{path}` cannot be read: {problem}",
    "file.unreadable": "cannot read `{path}`: {problem}",
    "file.damaged": "`{path}` is damaged",
    "file.too_large": "`{path}` has {size:,.0f} MB, and at most {most:,.0f} MB are read; it was not opened",
    "file.is_link": "`{path}` is a link, and links inside a run are not followed",
    "file.not_regular": "`{path}` is not a regular file, and was not opened",
    "file.not_folder": "`{path}` is not a folder",
    "data.too_deep": "it is nested more than {most:d} levels deep",
    "data.too_large": "it has a whole number of more than 64 bits",
    "file.too_short": "`{path}` is shorter than its index says",
    "file.not_tensors": "`{path}` is damaged or not a file of tensors, and was not opened",
    "file.runs_code": "`{path}` contains something other than tensors and was not opened, because it could run code",
    "file.not_dictionary": "`{path}` is not a dictionary of tensors",
    "file.damaged_state": "`{path}` is damaged, so the run cannot be continued",
    "state.none": "`{folder}` was never saved, so it cannot be continued; start a new run instead",
    "state.changing": (
        "`{folder}` cannot be read, because its training saves it too often; pause or stop the training first"
    ),
    "state.log_too_short": (
        "`{path}` is shorter than when the run was saved, so the run cannot be resumed; "
        "`dqngui train --fork {folder}` starts a new run from the saved state"
    ),
    "state.mark_in_line": (
        "the saved state does not belong to `{path}`, which would be cut in the middle of a line, so the run cannot be "
        "resumed"
    ),
    "state.damaged_because": "the state in `{folder}` is damaged, so the run cannot be continued: {problem}",
    "state.array": "its array `{name}` does not fit",
    "state.segment": "`{path}` is not the file that the saved state names: it was damaged or exchanged",
    "state.no_segment": "the saved state needs `{path}`, which cannot be read: {problem}",
    "state.lacks": "it lacks {name}",
    "checkpoint.none": "`{folder}` has no checkpoint yet",
    "checkpoint.no_such": "`{folder}` has no checkpoint of step {step:d}; there are: {known}",
    "checkpoint.not_one": "`{path}` is not a checkpoint",
    "checkpoint.unfit": "the checkpoint's weights do not fit the experiment's network",
    "knob.lost": "{field} to {value} at step {step:,}",
    "knob.schedule": "its schedule",
    "job.none": "there is no job `{name}`; there are: {known}",
    "host.no_process": "no process could be started: {problem}",
    "host.not_asked": "the job could not be handed to its process ({problem})",
    "host.not_sent": "the command {what} could not be sent to the job's process ({problem}); the job was stopped",
    "host.not_received": "the job's process received something unreadable ({problem}); the job was stopped",
    "host.not_told": "the event {what} could not be sent ({problem}); the job was stopped",
    "host.lost": "what the job told was lost ({problem})",
    "host.unreadable": "the job's process sent something unreadable: {problem}",
    "host.ended": "the job's process ended unexpectedly with status {status:d}",
    "host.killed": "the job's process was killed by {signal}",
    "host.killed_for_memory": "the job's process was killed by {signal}, perhaps because memory ran out",
    "host.signal": "signal {number:d}",
    "host.stopped_unsaved": "the job was ended before it could save",
    "host.silent": "the job ended without a result and without an error",
    "failure.environment": "{environment} raised {name}: {problem}",
    "failure.environment_silent": "{environment} raised {name}",
    "failure.write": "cannot write `{file}`: {problem}",
    "failure.file": "`{file}`: {problem}",
    "failure.memory": "memory ran out: {problem}",
    "failure.memory_silent": "memory ran out",
    "failure.numbers": "{problem}",
    "failure.raised": "the job raised {name}: {problem}",
    "failure.raised_silent": "the job raised {name}",
    "write.again": "{problem}; training goes on, and writing is tried again for {seconds:g} seconds",
    "write.works": "the run's files are written again",
    "write.deleted": "`{folder}` was deleted while the run was trained",
    "write.deleted_log": "`{path}` was deleted or replaced while the run was trained",
    "write.moved": "`{folder}` was moved to `{place}` while the run was trained",
    "write.kept": (
        "{problem}; its log and its last state were written to `{folder}`, so `dqngui train --resume {folder}` goes on "
        "from there"
    ),
    "write.not_kept": "{problem}, and its state could not be written anywhere: {reason}",
    "disk.full": "the disk is full",
    "disk.quota": "your share of the disk is full",
    "disk.too_large": "the file would become larger than the system allows",
}
