"""The brokers of one home as real processes, each started again when it has died."""
import json
import os
import signal
import subprocess
import time

from disks import Disk

BIN = os.environ.get("PG_BIN", "")


def tool(name):
    return os.path.join(BIN, name)


class AnyBrokers:
    """What is the same whoever starts them again: `pid(broker)` is the process of a broker. Signals are sent at the moment that is
    returned."""

    def __init__(self, home, count, options=()):
        self.home, self.stopped_until, self.ill = home, {}, ""
        subprocess.run([tool("pg-cluster"), "--home", home, "init", "--brokers", str(count), *options], check=True)

    def tick(self):
        for broker, until in list(self.stopped_until.items()):
            if time.monotonic() >= until:
                self.go_on(broker)

    def send(self, broker, signal_number):
        pid = self.pid(broker)
        sent = time.monotonic()
        os.kill(pid, signal_number)
        return sent

    def kill(self, broker):
        self.stopped_until.pop(broker, None)
        return self.send(broker, signal.SIGKILL)

    def stop(self, broker, seconds):
        self.stopped_until[broker] = time.monotonic() + seconds
        return self.send(broker, signal.SIGSTOP)

    def go_on(self, broker):
        if self.stopped_until.pop(broker, None) is not None:
            self.send(broker, signal.SIGCONT)

    def healthy(self):
        done = subprocess.run([tool("pg-cluster"), "--home", self.home, "health"], capture_output=True, text=True)
        self.ill = done.stdout + done.stderr
        return done.returncode == 0

    def await_health(self, patience=60):
        """False: something was still not as it should be after so many seconds."""
        end = time.monotonic() + patience
        while not self.healthy():
            if time.monotonic() > end:
                return False
            self.tick()
            time.sleep(0.05)
        return True


class Brokers(AnyBrokers):
    """Its owner calls tick() often. A broker that ends without having been killed here is a fault. disks: a folder in which each
    broker gets a disk of its own."""

    def __init__(self, home, count, log_path, fault=print, disks=None):
        # Where that of broker 0 is, a home decides itself.
        folders = [f"{home}/brokers", *(f"{disks}/{broker}" for broker in range(1, count))]
        self.disks = {broker: Disk(folder, str(broker)) for broker, folder in enumerate(folders)} if disks else {}
        super().__init__(home, count, [word for broker, disk in self.disks.items() if broker > 0
                                       for word in ("--log-dir", f"{broker}={disk.log_directory}")])
        self.fault = fault
        self.log = open(log_path, "ab")
        self.processes, self.killed = {}, set()
        for broker in range(count):
            self.start(broker)

    def start(self, broker):
        # setpriv: should this script be killed itself, nothing stays behind.
        self.processes[broker] = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", "--", tool("pg-cluster"), "run", "--broker", str(broker), "--home", self.home],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, start_new_session=True)
        self.killed.discard(broker)

    def tick(self):
        super().tick()
        for disk in self.disks.values():
            if disk.faulty_until and time.monotonic() >= disk.faulty_until:
                disk.mend()
        for broker, process in self.processes.items():
            if process.poll() is None:
                continue
            if broker not in self.killed:
                self.fault(f"broker {broker} ended with {process.returncode}")
            self.start(broker)

    def pid(self, broker):
        return self.processes[broker].pid

    def log_directory(self, broker):
        return self.disks[broker].log_directory if self.disks else f"{self.home}/brokers/{broker}"

    def faulty_disk(self):
        return next((disk for disk in self.disks.values() if disk.faulty_until), None)

    def kill(self, broker):
        self.killed.add(broker)
        return super().kill(broker)

    def end(self, keep=False):
        """keep: what is on the disks stays to be looked at."""
        for disk in self.disks.values():
            disk.mend()
        for broker in list(self.stopped_until):
            self.go_on(broker)
        for process in self.processes.values():
            process.terminate()
        for broker, process in self.processes.items():
            if process.wait() != 0 and broker not in self.killed:
                self.fault(f"broker {broker} ended with {process.returncode} when it was told to stop")
        for disk in self.disks.values():
            disk.close(keep)
        self.log.close()


class BackgroundBrokers(AnyBrokers):
    """As 'pg-cluster start --all' leaves them: looked after, and started again, by pg-cluster itself."""

    def __init__(self, home, count):
        super().__init__(home, count)
        subprocess.run([tool("pg-cluster"), "--home", home, "start", "--all"], check=True)

    def pid(self, broker):
        status = subprocess.run([tool("pg-cluster"), "--home", self.home, "status", "--json"], stdout=subprocess.PIPE, check=True)
        return next(row["pid"] for row in map(json.loads, status.stdout.splitlines()) if row["broker"] == broker)

    def end(self):
        for broker in list(self.stopped_until):
            self.go_on(broker)
        subprocess.run([tool("pg-cluster"), "--home", self.home, "stop", "--all"], check=True)
