"""Takes TensorFlow's two libraries and its headers out of the one wheel in a folder, and removes the wheel.

    unpackWheel.py FOLDER      makes FOLDER/lib and FOLDER/include
"""

import shutil
import sys
import zipfile
from pathlib import Path

LIBRARIES = ("tensorflow/libtensorflow_cc.so.2", "tensorflow/libtensorflow_framework.so.2")
HEADERS = "tensorflow/include/"

folder = Path(sys.argv[1])
(wheel,) = folder.glob("*.whl")
with zipfile.ZipFile(wheel) as archive:
    for name in archive.namelist():
        if name in LIBRARIES:
            target = folder / "lib" / Path(name).name
        elif name.startswith(HEADERS) and not name.endswith("/"):
            target = folder / "include" / name.removeprefix(HEADERS)
        else:
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        with archive.open(name) as source, target.open("wb") as sink:
            shutil.copyfileobj(source, sink, 1 << 20)
wheel.unlink()
