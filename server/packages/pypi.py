"""The package for Python: the program, and a word that starts it. For
dist.py; writes a wheel, which is a zip file with three files of its own."""

import base64
import hashlib
import os
import shutil
import time as clock
import zipfile

import npm

HERE = os.path.dirname(os.path.abspath(__file__))
METADATA = """\
Metadata-Version: 2.1
Name: llm-proxy
Version: {version}
Summary: Lets a client of one LLM chat API use the models behind another
License: MIT
Project-URL: Home, https://github.com/llmproxy/llmproxy
Classifier: Private :: Do Not Upload
Requires-Python: >=3.8
Description-Content-Type: text/markdown

"""
WHEEL = """\
Wheel-Version: 1.0
Generator: llmproxy make dist
Root-Is-Purelib: false
Tag: {tag}
"""
ENTRY_POINTS = "[console_scripts]\nllm-proxy = llm_proxy:main\n"


def digest(data):
    """As RECORD has it."""
    return "sha256=" + base64.urlsafe_b64encode(
        hashlib.sha256(data).digest()).rstrip(b"=").decode()


def make(source, stage, out, version, glibc, time, level):
    """Path of the wheel."""
    tag = f"py3-none-manylinux_{glibc[0]}_{glibc[1]}_{os.uname().machine}"
    package = out / "pypi"
    npm.copy_program(stage, package / "llm_proxy/dist")
    for name in ("__init__.py", "__main__.py"):
        shutil.copy(f"{HERE}/pypi/llm_proxy/{name}", package / "llm_proxy")
    about = package / f"llm_proxy-{version}.dist-info"
    about.mkdir()
    shutil.copy(source / "LICENSE", about)
    with open(f"{HERE}/pypi/README.md", encoding="ascii") as file:
        (about / "METADATA").write_text(
            METADATA.format(version=version) + file.read(), "ascii")
    (about / "WHEEL").write_text(WHEEL.format(tag=tag), "ascii")
    (about / "entry_points.txt").write_text(ENTRY_POINTS, "ascii")
    # No file can be dated before 1980 in a zip.
    stamp = clock.gmtime(max(time, 315532800))[:6]
    target = out / f"llm_proxy-{version}-{tag}.whl"
    record = about / "RECORD"
    rows = []
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED,
                         compresslevel=level) as wheel:

        def add(path, data):
            name = str(path.relative_to(package))
            entry = zipfile.ZipInfo(name, stamp)
            entry.compress_type = zipfile.ZIP_DEFLATED
            runs = path.exists() and path.stat().st_mode & 0o100
            entry.external_attr = (0o100755 if runs else 0o100644) << 16
            wheel.writestr(entry, data)
            return name

        for path in sorted(package.rglob("*")):
            if path.is_file():
                data = path.read_bytes()
                rows.append(f"{add(path, data)},{digest(data)},{len(data)}")
        rows.append(f"{record.relative_to(package)},,")
        add(record, "\n".join(rows) + "\n")
    shutil.rmtree(package)
    return target
