"""The runtime in the hands of private_host.USER."""

import os
import shutil
import subprocess

from harness import RUNTIME, default_config, make_rootfs, only_wherry, write_config
from private_host import SUBORDINATE, USER

ONE_ID = [{"containerID": 0, "hostID": USER["user"], "size": 1}]
GRANTED = [*ONE_ID, {"containerID": 1, "hostID": SUBORDINATE, "size": 1000}]


class User:
    """Calls the runtime as USER, in a directory that is the user's."""

    def __init__(self, box):
        only_wherry("needs a copy of its own")
        self.box = box
        self.programs = box.path("bin")
        os.makedirs(self.programs)
        for name in ("wherry", "wherry-exec", "wherry-compile"):
            beside = os.path.join(os.path.dirname(RUNTIME), name)
            if os.path.exists(beside):
                shutil.copy2(beside, self.programs)
        self.environment = {"PATH": os.environ["PATH"], "XDG_RUNTIME_DIR": box.path("xdg"),
                            "HOME": box.path("home")}
        for name in ("xdg", "home"):
            os.makedirs(box.path(name), mode=0o700)
            os.chown(box.path(name), USER["user"], USER["group"])

    def bundle(self, args, change=None, ids=ONE_ID):
        bundle = self.box.path(f"user{len(os.listdir(self.box.directory))}")
        os.makedirs(bundle)
        make_rootfs(os.path.join(bundle, "rootfs"))
        config = default_config(list(args))
        config["linux"]["namespaces"].append({"type": "user"})
        config["linux"]["uidMappings"] = config["linux"]["gidMappings"] = ids
        if change:
            change(config)
        write_config(bundle, config)
        subprocess.run(["chown", "-hR", f"{USER['user']}:{USER['group']}", bundle], check=True)
        return bundle

    def call(self, *args, before=None, **kwargs):
        return subprocess.run([os.path.join(self.programs, "wherry"), *args], env=self.environment,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
                              preexec_fn=before, **{**USER, **kwargs})

    def ok(self, *args, **kwargs):
        done = self.call(*args, **kwargs)
        if done.returncode != 0:
            raise AssertionError(f"{' '.join(args)}: {done}")
        return done.stdout

    def start(self, bundle, name="c1"):
        with open(self.box.path("out"), "w") as out:
            subprocess.run([os.path.join(self.programs, "wherry"), "run", "--detach", "--bundle", bundle,
                            name], env=self.environment, stdin=subprocess.DEVNULL, stdout=out,
                           stderr=out, timeout=60, check=True, **USER)

    def containers(self):
        place = self.box.path("xdg/wherry")
        return os.listdir(place) if os.path.isdir(place) else []
