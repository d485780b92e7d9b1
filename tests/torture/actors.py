"""The processes of a torture run: producers, consumers and operators, each a tool with its output in files.

A Round (torture) owns them: it has the folder they work in, the history they tell what they see, a log and counters.
"""
import json
import os
import re
import signal
import subprocess
import time

from history import Reader, key_of, value_of

BIN = os.environ.get("PG_BIN", "")
HANG_SECONDS = 60  # no process takes so long when it is not stopped
CRASH_TEXT = re.compile(rb"terminate called|assert|sanitizer|runtime error|segmentation|stack smashing|bug:|core dumped", re.I)
KILLED, TERMINATED = -signal.SIGKILL, -signal.SIGTERM


def tool(name):
    return os.path.join(BIN, name)


class Process:
    """A tool that runs, its output in files. setpriv: should this script be killed itself, nothing stays behind."""

    allowed = {0, 4}

    def __init__(self, round_, name, arguments, **options):
        self.round, self.name = round_, name
        self.began = time.monotonic()
        self.stopped_until, self.was_stopped = None, False
        self.expected_end = None  # after we sent it a signal
        self.out_path, self.err_path = f"{round_.work}/{name}.out", f"{round_.work}/{name}.err"
        self.partial, self.taken = b"", 0
        with open(self.out_path, "wb") as out, open(self.err_path, "wb") as err:
            self.popen = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", "--", tool(arguments[0]), *arguments[1:]],
                                          stdout=out, stderr=err, start_new_session=True, cwd=round_.work, **options)
        self.out = open(self.out_path, "rb")
        round_.log(f"{name} started, process {self.popen.pid}: {' '.join(arguments)}")

    def tick(self, now):
        if self.stopped_until and now >= self.stopped_until:
            self.go_on()

    def stop(self, until):
        self.popen.send_signal(signal.SIGSTOP)
        self.stopped_until, self.was_stopped = until, True
        self.round.count["stops"] += 1
        self.round.log(f"{self.name} stopped")

    def go_on(self):
        if self.stopped_until:
            self.popen.send_signal(signal.SIGCONT)
            self.stopped_until = None

    def kill(self):
        self.popen.kill()
        self.expected_end = KILLED
        self.round.count["kills"] += 1
        self.round.log(f"{self.name} killed")

    def new_lines(self):
        """The whole lines that it has printed since the last time."""
        while not self.out.closed and (data := self.out.read(1 << 20)):
            *lines, self.partial = (self.partial + data).split(b"\n")
            yield from lines

    def poll(self):
        """True once it has ended and all its output was taken."""
        ended = self.popen.poll() is not None
        self.take_output()
        if not ended:
            if not self.stopped_until and time.monotonic() - self.began > HANG_SECONDS:
                self.round.history.violate("hang", f"{self.name} runs for more than {HANG_SECONDS} s")
                self.kill()
            return False
        status = self.popen.returncode
        self.stopped_until = None
        self.out.close()
        self.check_end(status)
        self.round.log(f"{self.name} ended with {status}")
        self.round.count[f"exit {status}"] += 1
        self.ended(status)
        for path in (self.out_path, self.err_path):
            os.unlink(path)
        return True

    def check_end(self, status):
        with open(self.err_path, "rb") as err:
            said = err.read()
        if said:
            self.round.log(f"{self.name} said: {said.decode(errors='replace').strip()}")
        if status not in self.allowed and status != self.expected_end:
            self.round.history.violate("exit", f"{self.name} ended with {status}: {said.decode(errors='replace')}")
        if CRASH_TEXT.search(said):
            self.round.history.violate("crash", f"{self.name} said {said.decode(errors='replace')}")
        if status > 0 and not said and status != 6:
            self.round.history.violate("exit", f"{self.name} ended with {status} and did not say why")

    def take_output(self):
        for _ in self.new_lines():
            pass

    def ended(self, status):
        pass


class Producer(Process):
    """One attempt to send a run's records: all at once from a file, or some now and then through a pipe."""

    def __init__(self, round_, name, run, bulk, chance, features):
        arguments = ["pg-produce", "--report", "--no-create"]
        arguments += ["--flush", chance.choice(features.flushes), "--batch-bytes", chance.choice(["200", "2K", "16K", "1M"])]
        if chance.random() < 0.2:
            arguments += ["--linger", "20ms"]
        if features.codecs:
            arguments += ["-z", chance.choice(features.codecs)]
        arguments += ["-K", " "] if run.partition is None else ["-p", str(run.partition)]
        if run.named:
            arguments += ["--input-id", run.name.decode()]
        if run.topic.reborn:
            self.allowed = {0, 3, 4}
        self.run, self.chance = run, chance
        self.unsent, self.left = b"", 0
        if bulk:
            self.input_path = f"{round_.work}/{run.name.decode()}.in"
            if not os.path.exists(self.input_path):
                with open(self.input_path, "wb") as lines:
                    lines.write(self.feed(bulk))
            with open(self.input_path, "rb") as lines:
                super().__init__(round_, name, arguments + [run.topic.name.decode()], stdin=lines)
        else:
            self.input_path, self.left = None, int(chance.expovariate(1 / 600)) + 1
            super().__init__(round_, name, arguments + [run.topic.name.decode()], stdin=subprocess.PIPE)
            os.set_blocking(self.popen.stdin.fileno(), False)

    def feed(self, count):
        run = self.run
        lines = []
        for number in range(run.fed, run.fed + count):
            lines.append((key_of(number) + b" " if run.partition is None else b"") + value_of(run.name, number) + b"\n")
        run.fed += count
        self.records_fed = count
        return b"".join(lines)

    def tick(self, now):
        super().tick(now)
        pipe = self.popen.stdin
        if pipe is None or pipe.closed:
            return
        if not self.unsent and self.left > 0 and self.chance.random() < 0.5:
            count = min(self.left, self.chance.randrange(1, 25))
            self.unsent = self.feed(count)
            self.left -= count
            self.round.count["records fed"] += count
        try:
            if self.unsent:
                self.unsent = self.unsent[os.write(pipe.fileno(), self.unsent):]
            if not self.unsent and self.left <= 0:
                pipe.close()
        except BlockingIOError:
            pass
        except BrokenPipeError:
            pipe.close()

    def take_output(self):
        for line in self.new_lines():
            report = json.loads(line)
            if report["topic"].encode() != self.run.topic.name or report["count"] < 1:
                self.round.history.violate("report", f"{self.name}: {line}")
            self.round.history.acknowledge(self.run, report["partition"], report["base_offset"], report["count"])

    def ended(self, status):
        if self.popen.stdin and not self.popen.stdin.closed:
            self.popen.stdin.close()
        self.run.finished |= status == 0
        if status != 0 and self.run.named:
            self.round.unfinished.append(self.run)
        elif self.input_path:
            os.unlink(self.input_path)


class Consumer(Process):
    def __init__(self, round_, name, topics, chance, follow):
        self.topics = {topic.name: topic for topic in topics}
        self.follow, self.whole = follow, True
        partitions = [(topic, partition) for topic in topics for partition in range(topic.partitions)]
        arguments, first = ["pg-consume", "-f", "%t %p %o %k %v\\n"], None
        place = chance.random()
        if len(topics) == 1 and chance.random() < 0.4:
            partitions = [chance.choice(partitions)]
            arguments += ["-p", str(partitions[0][1])]
        ends = [round_.history.acknowledged_end[topic.name, partition] for topic, partition in partitions]
        if place < 0.2:
            first = 0
        elif place < 0.5 and min(ends) > 0 and all(topic.whole for topic in topics):
            first = chance.randrange(max(0, min(ends) - 3000), min(ends))
            arguments += ["-o", str(first)]
        elif place < 0.6:
            arguments += ["-o", "end"]
            self.whole = False
        else:
            arguments += ["-o", f"-{chance.randrange(1, 3000)}"]
        if not follow and chance.random() < 0.3:
            arguments += ["-n", str(chance.randrange(1, 2000))]
            self.whole = False
        if follow:
            arguments += ["-F"]
        if any(not topic.whole for topic in topics):
            self.allowed = {0, 3, 4}  # deleted, or no longer there
        self.partitions = partitions
        self.reader = Reader(round_.history, name, first)
        super().__init__(round_, name, arguments + [topic.name.decode() for topic in topics])
        self.until = self.began + chance.uniform(0.5, 6) if follow else None

    def tick(self, now):
        super().tick(now)
        if self.until and now > self.until and not self.expected_end and not self.stopped_until:
            self.terminate()

    def terminate(self):
        self.popen.terminate()
        self.expected_end = TERMINATED

    def caught_up(self):
        """Whether this follower has printed all that was ever acknowledged; only what it began to read can be told."""
        reader, history = self.reader, self.round.history
        return all(topic.reborn or reader.next.get((topic.name, p), history.acknowledged_end[topic.name, p]) >=
                   history.acknowledged_end[topic.name, p] for topic, p in self.partitions)

    def take_output(self):
        for line in self.new_lines():
            try:
                topic, partition, offset, key, value = line.split(b" ", 4)
                self.reader.read(self.topics[topic], int(partition), int(offset), key, value)
            except (ValueError, KeyError):
                self.round.history.violate("invented", f"{self.name} printed {line!r}")

    def ended(self, status):
        self.round.count["reads"] += 1
        self.round.count["records read"] += self.reader.records
        if self.partial and status not in (KILLED, TERMINATED):
            self.round.history.violate("invented", f"{self.name} ended in the middle of a line: {self.partial!r}")
        if status == 0 and self.whole and not self.follow:
            self.reader.check_reached(self.partitions)


class Operator(Process):
    """A pg-topic command, or one of another tool."""

    def __init__(self, round_, name, arguments, allowed=frozenset({0, 4}), index_faults=False, program="pg-topic", lenient=False):
        """lenient: what it looks at may lie on a disk that cannot be read for a moment."""
        self.allowed, self.index_faults, self.lenient = set(allowed), index_faults, lenient
        super().__init__(round_, name, [program, *arguments])

    def take_output(self):
        for line in self.new_lines():
            if self.lenient or self.index_faults and re.search(rb"\.(time)?index:\d", line):
                continue
            if re.search(rb"offset -?\d+: ", line):
                self.round.history.violate("verify", f"{self.name}: {line.decode(errors='replace')}")
