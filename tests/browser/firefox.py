"""A Firefox that is driven by WebDriver BiDi, over the socket that it opens itself: no driver stands between.

And a sound card that plays into nothing. Without one, Firefox holds the clock of every sound at zero.
"""

import asyncio
import json
import os
import re
import shutil
import subprocess
import tempfile
import threading
import time
from contextlib import contextmanager
from pathlib import Path

from tornado.websocket import websocket_connect

PROGRAMS = ("firefox-esr", "firefox")
LISTENING = re.compile(r"WebDriver BiDi listening on (ws://\S+)")
PATIENCE = 180  # seconds: other work may run beside the tests
# No call to a host of its own, no page of welcome.
SETTINGS = dict.fromkeys(
    [
        "app.update.auto",
        "browser.shell.checkDefaultBrowser",
        "datareporting.policy.dataSubmissionEnabled",
        "network.captive-portal-service.enabled",
        "network.connectivity-service.enabled",
        "toolkit.telemetry.enabled",
    ],
    False,
)
SETTINGS["services.settings.server"] = "data:,"


def program():
    """Return the path of a Firefox, or nothing."""
    return next(filter(None, map(shutil.which, PROGRAMS)), None)


def until(ask, what):
    """Ask again and again until there is an answer, and return it."""
    end = time.monotonic() + PATIENCE
    while not (answer := ask()):
        if time.monotonic() > end:
            raise TimeoutError(f"waited {PATIENCE} s for {what}")
        time.sleep(0.1)
    return answer


class Firefox:
    """One headless Firefox with one page; ``errors`` are those of the console and of answers since the last visit."""

    def __init__(self, path, profile, **environment):
        lines = [f"user_pref({json.dumps(name)}, {json.dumps(value)});" for name, value in SETTINGS.items()]
        (profile / "user.js").write_text("\n".join(lines))
        said = profile / "said.txt"
        command = [path, "--headless", "--no-remote", "--profile", profile, "--remote-debugging-port", "0"]
        with said.open("w") as file:
            env = {**os.environ, "HOME": str(profile), **environment}
            self.process = subprocess.Popen([*command, "about:blank"], stdout=file, stderr=file, env=env)
        address = until(lambda: LISTENING.search(said.read_text()), "Firefox to listen")[1]
        self.errors, self.number = [], 0
        # A loop in a thread of its own: another test's browser may have one in this thread.
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, daemon=True).start()
        self.socket = self.wait(self.connect(f"{address}/session"))
        self.call("session.new", capabilities={})
        self.call("session.subscribe", events=["log.entryAdded", "network.responseCompleted"])
        self.page = self.call("browsingContext.getTree")["contexts"][0]["context"]

    async def connect(self, address):
        """Open the socket; a message may be large."""
        return await websocket_connect(address, max_message_size=2**26)

    def wait(self, work):
        """Let the loop do something, and return what comes of it."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(PATIENCE)

    def call(self, method, **params):
        """Give one command, and return its result; what happens meanwhile is noted."""
        self.number += 1
        return self.wait(self.exchange({"id": self.number, "method": method, "params": params}))

    async def exchange(self, command):
        """Send a command and read messages until its answer comes."""
        await self.socket.write_message(json.dumps(command))
        while True:
            message = json.loads(await self.socket.read_message())
            if message.get("id") == command["id"]:
                if message["type"] == "error":
                    raise RuntimeError(f"{message['error']}: {message['message']}")
                return message["result"]
            self.note(message.get("method"), message.get("params", {}))

    def note(self, event, params):
        """Keep what is wrong: errors in the console, and answers that are none."""
        if event == "log.entryAdded" and params["level"] == "error":
            self.errors.append(f"{params['type']}: {params['text']}")
        if event == "network.responseCompleted" and params["response"]["status"] >= 400:
            self.errors.append(f"{params['response']['status']}: {params['response']['url']}")

    def visit(self, address):
        """Open a page, to its last file."""
        self.errors.clear()
        self.call("browsingContext.navigate", context=self.page, url=address, wait="complete")

    def ask(self, script):
        """Return the value of an expression, as if the reader had just pressed something; promises are awaited."""
        answer = self.call(
            "script.evaluate", expression=script, target={"context": self.page}, awaitPromise=True, userActivation=True
        )
        if answer["type"] == "exception":
            raise RuntimeError(answer["exceptionDetails"]["text"])
        return answer["result"].get("value")

    def close(self):
        """End it."""
        self.process.terminate()
        self.process.wait(60)
        self.loop.call_soon_threadsafe(self.loop.stop)


@contextmanager
def sound_card():
    """A PulseAudio whose only card plays into nothing: gives the environment that leads to it."""
    with tempfile.TemporaryDirectory() as folder:
        socket = Path(folder) / "native"
        command = ["pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no"]
        command += ["-L", "module-null-sink"]
        command += ["-L", f"module-native-protocol-unix auth-anonymous=1 socket={socket}"]
        env = {**os.environ, "HOME": folder, "XDG_RUNTIME_DIR": folder}
        card = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=env)
        try:
            until(socket.exists, "PulseAudio")
            yield {"PULSE_SERVER": f"unix:{socket}"}
        finally:
            card.terminate()
            card.wait(60)
