"""The brokers of one home as real processes, each started again when it has died."""
import os
import signal
import subprocess
import time

BIN = os.environ.get("PG_BIN", "")


def tool(name):
    return os.path.join(BIN, name)


class Brokers:
    """Its owner calls tick() often. A broker that ends without having been killed here is a fault."""

    def __init__(self, home, count, log_path, fault=print):
        self.home, self.fault = home, fault
        self.log = open(log_path, "ab")
        self.processes, self.killed, self.stopped_until = {}, set(), {}
        subprocess.run([tool("pg-cluster"), "--home", home, "init", "--brokers", str(count)], check=True)
        for broker in range(count):
            self.start(broker)

    def start(self, broker):
        # setpriv: should this script be killed itself, nothing stays behind.
        self.processes[broker] = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", "--", tool("pg-cluster"), "run", "--broker", str(broker), "--home", self.home],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, start_new_session=True)
        self.killed.discard(broker)

    def tick(self):
        for broker, until in list(self.stopped_until.items()):
            if time.monotonic() >= until:
                self.go_on(broker)
        for broker, process in self.processes.items():
            if process.poll() is None:
                continue
            if broker not in self.killed:
                self.fault(f"broker {broker} ended with {process.returncode}")
            self.start(broker)

    def kill(self, broker):
        self.killed.add(broker)
        self.stopped_until.pop(broker, None)
        self.processes[broker].kill()

    def stop(self, broker, seconds):
        self.processes[broker].send_signal(signal.SIGSTOP)
        self.stopped_until[broker] = time.monotonic() + seconds

    def go_on(self, broker):
        if self.stopped_until.pop(broker, None) is not None:
            self.processes[broker].send_signal(signal.SIGCONT)

    def healthy(self):
        return subprocess.run([tool("pg-cluster"), "--home", self.home, "health"], stdout=subprocess.DEVNULL).returncode == 0

    def await_health(self, patience=60):
        """False: something was still not as it should be after so many seconds."""
        end = time.monotonic() + patience
        while not self.healthy():
            if time.monotonic() > end:
                return False
            self.tick()
            time.sleep(0.05)
        return True

    def end(self):
        for broker in list(self.stopped_until):
            self.go_on(broker)
        for process in self.processes.values():
            process.terminate()
        for broker, process in self.processes.items():
            if process.wait() != 0 and broker not in self.killed:
                self.fault(f"broker {broker} ended with {process.returncode} when it was told to stop")
        self.log.close()
