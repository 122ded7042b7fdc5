"""Looks at what `make deb` built: names, files and dependencies of the Debian
packages; then unpacks the server's and runs it.

  deb_test.py FOLDER
"""

import glob
import os
import re
import subprocess
import sys
import tempfile

# package: (files it must have, what it must depend on)
PACKAGES = {
    r"libllmproxy-dev": (
        [r"/include/llmproxy/translate\.h", r"/libllmproxy-core\.a",
         r"/libllmproxy-client\.a", r"/libllmproxy-gateway\.a",
         r"/libllmproxy-core\.so", r"/cmake/llmproxy/llmproxy-config\.cmake",
         r"/llmproxy-core-static\.cmake", r"/llmproxy-core-shared\.cmake",
         r"/pkgconfig/llmproxy-gateway\.pc", r"/doc/libllmproxy-dev/copyright"],
        ["libllmproxy0", "libsimdjson-dev", "libfmt-dev", "libssl-dev",
         "libcurl4-openssl-dev", "libyaml-cpp-dev"]),
    r"libllmproxy[\d.]+": (
        [r"/libllmproxy-core\.so\.[\d.]+", r"/libllmproxy-client\.so\.[\d.]+",
         r"/libllmproxy-gateway\.so\.[\d.]+", r"/copyright"],
        ["libc6", "libcurl4", "libfmt", "libsimdjson", "libssl3",
         "libyaml-cpp"]),
    r"llm-proxy": (
        [r"/usr/bin/llm-proxy", r"/doc/llm-proxy/copyright",
         r"/man1/llm-proxy\.1(\.gz)?", r"/bash-completion/completions/llm-proxy"],
        ["libc6", "libcurl4", "libcpp-httplib", "ca-certificates"]),
}


def output(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE,
                          text=True).stdout


def package_faults(path):
    name, depends, maintainer, description = (
        output("dpkg-deb", "-f", path, field).strip() for field in
        ("Package", "Depends", "Maintainer", "Description"))
    rules = [rule for pattern, rule in PACKAGES.items()
             if re.fullmatch(pattern, name)]
    if len(rules) != 1:
        yield f"{name}: nobody expects this package"
        return
    files = [line.split(" -> ")[0].split()[-1]
             for line in output("dpkg-deb", "-c", path).splitlines()]
    for pattern in rules[0][0]:
        if not any(re.search(pattern + "$", file) for file in files):
            yield f"{name}: no file {pattern}"
    for package in rules[0][1]:
        if not re.search(rf"(^|[ ,]){re.escape(package)}", depends):
            yield f"{name}: does not depend on {package}: {depends}"
    if name == "llm-proxy" and "libllmproxy" in depends:
        yield f"{name} does not install alone: {depends}"
    if not maintainer or not description:
        yield f"{name}: no maintainer or no description"
    print(f"{os.path.basename(path)}: {os.path.getsize(path)} bytes, "
          f"{len(files)} entries\n  Depends: {depends}")


def program_faults(path):
    with tempfile.TemporaryDirectory() as root:
        output("dpkg", "-x", path, root)
        said = output(os.path.join(root, "usr/bin/llm-proxy"), "version")
    print(said, end="")
    if not said.startswith("llm-proxy "):
        yield "llm-proxy does not run from its package"


def main():
    packages = sorted(glob.glob(os.path.join(sys.argv[1], "*.deb")))
    faults = [fault for path in packages for fault in package_faults(path)]
    if len(packages) != len(PACKAGES):
        faults.append(f"{len(packages)} packages, not {len(PACKAGES)}")
    for path in packages:
        if os.path.basename(path).startswith("llm-proxy_"):
            faults += program_faults(path)
    for fault in faults:
        print(fault)
    print(f"deb: {len(packages)} packages, {len(faults)} faults")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
