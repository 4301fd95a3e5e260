# A kernel side of `leem.controls` in Python: it keeps the values, answers every change and writes down what came.
import time

from IPython import get_ipython
from IPython.display import display


class Controls:
    known = {}

    def __init__(self, id, controls):
        self.id = id
        self.controls = controls
        self.values = {control["name"]: control["value"] for control in controls}
        self.answers = True
        self.received = []
        self.times = []
        self.comms = []
        Controls.known[id] = self

    def bundle(self):
        controls = [{**control, "value": self.values[control["name"]]} for control in self.controls]
        return {"version": 1, "id": self.id, "target": "leemlab.controls", "controls": controls}

    def show(self, **options):
        text = ", ".join(f"{name} = {value}" for name, value in self.values.items())
        data = {"application/vnd.leemlab.controls.v1+json": self.bundle(), "text/plain": text}
        return display(data, raw=True, **options)

    def send(self, **message):
        for comm in self.comms:
            comm.send(message)

    def state(self, sequence, **values):
        self.values.update(values)
        self.send(type="state", values=self.values, sequence=sequence)

    def take(self, comm, message):
        self.received.append(message)
        self.times.append(time.monotonic())
        if self.answers:
            self.values[message["name"]] = message["value"]
            for other in self.comms:
                sequence = message["sequence"] if other is comm else 0
                other.send({"type": "state", "values": self.values, "sequence": sequence})


def open_controls(comm, opening):
    controls = Controls.known.get(opening["content"]["data"]["id"])
    if controls is None:
        comm.close()
        return
    controls.comms.append(comm)
    comm.on_msg(lambda message: controls.take(comm, message["content"]["data"]))
    comm.on_close(lambda _: controls.comms.remove(comm))
    comm.send({"type": "state", "values": controls.values, "sequence": 0})


get_ipython().kernel.comm_manager.register_target("leemlab.controls", open_controls)

window = Controls(
    "window",
    [
        {"kind": "slider", "name": "sigma", "label": "Gaussian σ (pixels)", "min": 0, "max": 10, "step": 0.5, "value": 3},
        {
            "kind": "select",
            "name": "side",
            "label": "Window",
            "options": [{"value": 256, "label": "256"}, {"value": 512, "label": "512"}, {"value": "all", "label": "all of the frame"}],
            "value": 512,
        },
        {"kind": "toggle", "name": "hann", "label": "Hann window", "value": True},
    ],
)
