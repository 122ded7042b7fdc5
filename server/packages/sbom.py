"""A bill of materials (CycloneDX 1.5, JSON) of what dist.py packs: the Debian
packages of the libraries in it, and of the headers compiled into ours."""

import datetime
import json
import pathlib
import re
import subprocess
import uuid

# Headers that leave nothing of theirs in a program but calls into the system.
SYSTEM_HEADERS = ("libc6-dev", "linux-libc-dev")


class Part:
    """A package of which something is in the archive."""

    def __init__(self, package, how, names=()):
        self.package = package
        self.how = how  # "shared library" or "compiled in"
        self.names = sorted(names)  # files of it in the archive
        fields = query(package)
        self.version, self.source, self.architecture = fields

    @property
    def copyright_file(self):
        return f"/usr/share/doc/{self.package}/copyright"

    @property
    def purl(self):
        return (f"pkg:deb/debian/{quoted(self.package)}@"
                f"{quoted(self.version)}?arch={self.architecture}"
                f"&distro={distribution()}&upstream={quoted(self.source)}")

    def licences(self):
        """As the package's copyright file names them."""
        try:
            text = pathlib.Path(self.copyright_file).read_text("utf-8",
                                                               "replace")
        except OSError:
            return []
        return sorted(set(re.findall(r"(?m)^License: *(\S.*?) *$", text)))


def quoted(text):
    return text.replace("+", "%2B").replace(":", "%3A")


def distribution():
    text = pathlib.Path("/etc/os-release").read_text("utf-8")
    fields = dict(re.findall(r'(?m)^(\w+)="?([^"\n]*)', text))
    return f"{fields.get('ID', 'linux')}-{fields.get('VERSION_ID', '')}"


def query(package):
    """(version, source package, architecture) of an installed package."""
    said = subprocess.run(
        ["dpkg-query", "-W", "-f",
         "${Version}\\t${source:Package}\\t${Architecture}\\n", package],
        check=True, capture_output=True, text=True).stdout
    return said.splitlines()[0].split("\t")


def header_packages(builds):
    """Packages of the headers that our objects were compiled with, as the
    compiler told Ninja."""
    said = "".join(subprocess.run(
        ["ninja", "-C", str(build), "-t", "deps"], check=True,
        capture_output=True, text=True).stdout for build in builds)
    headers, ours = set(), False
    for line in said.splitlines():
        if line and not line.startswith(" "):
            ours = line.startswith(("lib/", "server/"))
        elif ours and line.strip().startswith("/usr/"):
            headers.add(line.strip())
    found = subprocess.run(["dpkg-query", "-S", *sorted(headers)], check=False,
                           capture_output=True, text=True).stdout
    return {line.split(":")[0] for line in found.splitlines()}


def parts_of(builds, libraries):
    """Everything that is in the archive and is not ours, by name."""
    files = {}
    for library in libraries:
        files.setdefault(library.package, []).append(library.name)
    parts = [Part(package, "shared library", names)
             for package, names in files.items()]
    sources = {part.source for part in parts}
    for package in header_packages(builds):
        part = Part(package, "compiled in")
        # The headers of a shared library that is there anyway are no news.
        if package not in SYSTEM_HEADERS and part.source not in sources:
            parts.append(part)
    return sorted(parts, key=lambda part: part.package)


def component(part):
    return {
        "type": "library", "bom-ref": part.purl, "name": part.package,
        "version": part.version, "purl": part.purl,
        "licenses": [{"license": {"name": name}} for name in part.licences()],
        "properties": [{"name": "llm-proxy:how", "value": part.how}] +
                      [{"name": "llm-proxy:file", "value": name}
                       for name in part.names],
    }


def write(path, version, time, parts):
    ours = f"pkg:generic/llm-proxy@{version}"
    seed = " ".join([ours, *(part.purl for part in parts)])
    stamp = datetime.datetime.fromtimestamp(time, datetime.timezone.utc)
    path.write_text(json.dumps({
        "bomFormat": "CycloneDX", "specVersion": "1.5",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, seed)}",
        "version": 1,
        "metadata": {
            "timestamp": stamp.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "component": {
                "type": "application", "bom-ref": ours, "name": "llm-proxy",
                "version": version, "purl": ours,
                "licenses": [{"license": {"id": "MIT"}}],
            },
        },
        "components": [component(part) for part in parts],
        "dependencies": [{"ref": ours,
                          "dependsOn": [part.purl for part in parts]}],
    }, indent=1) + "\n", "utf-8")
