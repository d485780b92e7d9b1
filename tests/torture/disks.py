"""Disks for the brokers of a torture run, which are full or cannot be read for a while."""
import os
import shutil
import subprocess

DISK_BYTES = 96 << 20


class Disk:
    """A broker's log directory. Where torture may mount, it lies on a tmpfs of its own, which can be full. It can also become unreadable:
    as root, whom no mode keeps out, by another name for it."""

    def __init__(self, folder, name):
        self.folder, self.log_directory, self.faulty_until = folder, f"{folder}/{name}", None
        os.makedirs(folder)
        self.is_mounted = "TORTURE_MOUNTS" in os.environ and subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", folder], stderr=subprocess.DEVNULL).returncode == 0

    def fill(self, until):
        self.faulty_until = until
        with open(f"{self.folder}/fill", "wb", buffering=0) as file:
            for block in (1 << 20, 4096):
                try:
                    while True:
                        file.write(bytes(block))
                except OSError:
                    pass

    def hide(self, until):
        self.faulty_until = until
        if os.geteuid() == 0:
            os.rename(self.log_directory, f"{self.folder}/away")
        else:
            os.chmod(self.log_directory, 0)

    def mend(self):
        self.faulty_until = None
        if os.path.exists(f"{self.folder}/fill"):
            os.unlink(f"{self.folder}/fill")
        if os.path.exists(f"{self.folder}/away"):
            os.rename(f"{self.folder}/away", self.log_directory)
        os.chmod(self.log_directory, 0o755)

    def close(self, keep):
        """With `keep`, what is on the disk stays to be looked at."""
        self.mend()
        if not self.is_mounted:
            return
        if keep:
            shutil.copytree(self.folder, f"{self.folder}-kept")
        subprocess.run(["umount", "--lazy", self.folder], check=True)
