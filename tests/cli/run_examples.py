#!/usr/bin/python3
"""Runs the examples of a document and compares what they print with what the document shows.

run_examples.py FILE       FILE is README.md or another Markdown file, or the source of a man page (.scd)

In Markdown an example is a block marked ```console; in a man page it is a literal block under EXAMPLES whose first line
begins with "$ ". In a block, a line that begins with "$ " is a command, run by bash -o pipefail; lines that begin with "> "
continue it. The lines up to the next command are what it prints, standard error included. It must exit with 0.

Where output cannot be known beforehand (ids, times, paths), the document has "…": it stands for any text, or, as a line of
its own, for any number of lines.

Each block is run in an empty directory with an empty home. PG_BIN names the directory of the tools. All blocks are run; the
exit status is 1 if one of them prints something else, or if the document has no example at all.
"""

import difflib
import os
import re
import subprocess
import sys
import tempfile

TIMEOUT_SECONDS = 60


class Command:
    def __init__(self, line_number, text):
        self.line_number = line_number
        self.text = text
        self.expected = []


def literal_blocks(path):
    """The blocks that are to be run, as lists of (line number, line)."""
    with open(path, encoding="utf-8") as file:
        lines = file.read().splitlines()
    manual = path.endswith(".scd")
    heading, fence, block = "", None, []
    for number, line in enumerate(lines, 1):
        text = line.lstrip("\t") if manual else line
        if fence is None and text.startswith("```"):
            fence, block = text[3:].strip(), []
        elif fence is None:
            if line.startswith("# "):
                heading = line[2:]
        elif text.rstrip() == "```":
            wanted = heading == "EXAMPLES" and block and block[0][1].startswith("$ ") if manual else fence == "console"
            if wanted:
                yield block
            fence = None
        else:
            # scdoc takes a backslash in a literal block for an escape.
            block.append((number, re.sub(r"\\(.)", r"\1", text) if manual else text))


def commands_of(block, path):
    commands = []
    for number, line in block:
        if line.startswith("$ "):
            commands.append(Command(number, line[2:]))
        elif not commands:
            sys.exit(f"{path}:{number}: the block does not begin with a command")
        elif line.startswith("> ") and not commands[-1].expected:
            commands[-1].text += "\n" + line[2:]
        else:
            commands[-1].expected.append(line)
    return commands


def pattern_of(expected):
    """A regular expression for output that has "…" in places."""
    pattern = ""
    for line in expected:
        if line == "…":
            pattern += r"(?:.*\n)*"
        else:
            pattern += ".*".join(re.escape(part) for part in line.split("…")) + r"\n"
    return re.compile(pattern)


def run(command, environment, directory):
    """What is wrong with it, or None."""
    try:
        done = subprocess.run(
            ["bash", "-o", "pipefail", "-c", command.text], cwd=directory, env=environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=TIMEOUT_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return f"did not end within {TIMEOUT_SECONDS} s"
    output = done.stdout.decode("utf-8", "backslashreplace")
    if done.returncode != 0:
        return f"exit status {done.returncode}; it printed:\n{output}"
    if pattern_of(command.expected).fullmatch(output):
        return None
    difference = difflib.unified_diff(command.expected, output.splitlines(), "in the document", "printed", lineterm="")
    return "prints something else:\n" + "\n".join(difference)


def main():
    if len(sys.argv) != 2 or not os.environ.get("PG_BIN"):
        sys.exit("usage: PG_BIN=DIRECTORY run_examples.py FILE")
    path = sys.argv[1]
    count, faults = 0, 0
    for block in literal_blocks(path):
        with tempfile.TemporaryDirectory() as directory:
            work, user = os.path.join(directory, "work"), os.path.join(directory, "user")
            os.mkdir(work)
            os.mkdir(user)
            environment = dict(os.environ, HOME=user, PG_HOME=os.path.join(directory, "home"), LC_ALL="C.UTF-8", TZ="UTC",
                               PATH=os.path.abspath(os.environ["PG_BIN"]) + ":" + os.environ["PATH"])
            for command in commands_of(block, path):
                count += 1
                problem = run(command, environment, work)
                if problem:
                    faults += 1
                    print(f"{path}:{command.line_number}: $ {command.text}\n{problem}")
                    break  # what follows builds on it
            if os.path.isdir(os.path.join(environment["PG_HOME"], "logs")):  # brokers may run in the background
                subprocess.run(["pg-cluster", "stop", "--all", "-q"], env=environment, check=False)
    if count == 0:
        sys.exit(f"{path}: no examples found")
    print(f"{path}: {count} commands, {faults} faults")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
