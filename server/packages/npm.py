"""The package for npm: the program, and a launcher in node. For dist.py."""

import json
import os
import shutil
import subprocess

# Architectures as npm calls them.
CPUS = {"x86_64": "x64", "aarch64": "arm64"}
HERE = os.path.dirname(os.path.abspath(__file__))


def copy_program(stage, target):
    """Program, the libraries it loads, what they are and their licences."""
    for name in ("bin", "lib/llm-proxy", "share/doc/llm-proxy/licences"):
        shutil.copytree(stage / name, target / name)
    for library in (stage / "lib").glob("*.so*"):
        shutil.copy(library, target / "lib")
    for name in ("sbom.cdx.json", "share/doc/llm-proxy/LICENSE"):
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(stage / name, target / name)


def make(source, stage, out, version):
    """Path of the package."""
    package = out / "npm"
    copy_program(stage, package / "dist")
    shutil.copy(f"{HERE}/npm/llm-proxy.js", package)
    shutil.copy(f"{HERE}/npm/README.md", package)
    shutil.copy(source / "LICENSE", package)
    with open(f"{HERE}/npm/package.json", encoding="ascii") as file:
        about = json.load(file)
    about["version"] = version
    about["cpu"] = [CPUS[os.uname().machine]]
    (package / "package.json").write_text(json.dumps(about, indent=2) + "\n",
                                          "ascii")
    name = subprocess.run(
        ["npm", "pack", "--offline", "--silent", "--ignore-scripts",
         "--pack-destination", str(out)], cwd=package, check=True,
        stdout=subprocess.PIPE, text=True).stdout.split()[-1]
    shutil.rmtree(package)
    return out / name
