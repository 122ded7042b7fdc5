"""Uses what `make dist` made as its receivers do: unpacked, installed by npm
and by pip, on this machine. roots_test.py does it on other systems.

  packages_test.py OUT_DIR
"""

import json
import os
import pathlib
import re
import subprocess
import sys
import tarfile
import tempfile
import unittest

import archive

OUT = pathlib.Path(sys.argv[1]).resolve()
# What comes from the system, always: glibc.
SYSTEM = re.compile(
    r"/(ld-linux[\w.-]*|lib(c|m|resolv|dl|rt|pthread|nss_\w+)\.so\.\d+)$")
NEEDED = [
    "bin/llm-proxy", "include/llmproxy/translate.h", "lib/libllmproxy-core.a",
    "lib/libllmproxy-client.a", "lib/libllmproxy-gateway.a",
    "lib/cmake/llmproxy/llmproxy-config.cmake",
    "lib/cmake/llmproxy/llmproxy-bundled.cmake",
    "lib/pkgconfig/llmproxy-core.pc", "sbom.cdx.json", "SHA256SUMS",
    "share/doc/llm-proxy/LICENSE", "share/man/man1/llm-proxy.1",
    "share/bash-completion/completions/llm-proxy",
    "share/doc/llm-proxy/examples/llm-proxy.yaml",
    "share/doc/llm-proxy/examples/.env.example",
]


def run(*command, **options):
    done = subprocess.run([*map(str, command)], capture_output=True, text=True,
                          timeout=600, check=False, **options)
    if done.returncode != 0:
        raise AssertionError(f"{command}:\n{done.stdout}{done.stderr}")
    return done.stdout


def mapped(pid):
    """Shared libraries that a process has loaded."""
    with open(f"/proc/{pid}/maps", encoding="utf-8") as file:
        return {path for path in re.findall(r"(/\S+)$", file.read(),
                                            re.MULTILINE) if ".so" in path}


class Packages(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.scratch = pathlib.Path(scratch.name)
        self.environment = archive.plain_environment(scratch.name)

    def unpacked(self):
        with tarfile.open(archive.find(OUT, "*.tar.gz")) as tar:
            for entry in tar:
                self.assertFalse(entry.name.startswith(("/", "..")))
                self.assertEqual((entry.uid, entry.gid), (0, 0))
            tar.extractall(self.scratch)
        return archive.find(self.scratch, "llm-proxy-*")

    def serve(self, *command):
        server = archive.Server(*command, env=self.environment,
                                cwd=self.scratch)
        with server:
            self.assertIn("hi", server.ask())
            libraries = mapped(server.process.pid)
        self.assertEqual(server.code, 0, "SIGTERM")
        return libraries

    def test_archive_holds_what_it_should(self):
        run("sha256sum", "-c", archive.find(OUT, "*.sha256").name, cwd=OUT)
        root = self.unpacked()
        for name in NEEDED:
            self.assertTrue((root / name).is_file(), name)
        run("sha256sum", "--quiet", "--strict", "-c", "SHA256SUMS", cwd=root)
        listed = {line.split("  ")[1] for line in
                  (root / "SHA256SUMS").read_text("utf-8").splitlines()}
        there = {str(path.relative_to(root)) for path in root.rglob("*")
                 if path.is_file()} - {"SHA256SUMS"}
        self.assertEqual(listed, there)

    def test_archive_runs_on_its_own_libraries(self):
        root = self.unpacked()
        loaded = self.serve(root / "bin/llm-proxy")
        own = {path for path in loaded if path.startswith(str(root))}
        self.assertGreater(len(own), 5)
        for path in loaded - own:
            self.assertRegex(path, SYSTEM)

    def test_a_link_to_the_program_does(self):
        link = self.scratch / "llm-proxy"
        link.symlink_to(self.unpacked() / "bin/llm-proxy")
        self.assertIn("llm-proxy ", run(link, "version",
                                        env=self.environment))

    def test_sbom_names_every_library(self):
        root = self.unpacked()
        with open(root / "sbom.cdx.json", encoding="utf-8") as file:
            sbom = json.load(file)
        self.assertEqual(sbom["bomFormat"], "CycloneDX")
        parts = sbom["components"]
        named = {item["value"] for part in parts for item in
                 part["properties"] if item["name"] == "llm-proxy:file"}
        there = {path.name for path in (root / "lib").rglob("*.so*")}
        self.assertEqual(named, there)
        for part in parts:
            self.assertRegex(part["purl"], r"^pkg:deb/debian/[^@]+@.+\?arch=")
            self.assertTrue((root / "share/doc/llm-proxy/licences" /
                             (part["name"] + ".copyright")).is_file(), part)
        compiled_in = {part["name"] for part in parts if
                       part["properties"][0]["value"] == "compiled in"}
        self.assertIn("rapidjson-dev", compiled_in)
        self.assertIn("libcli11-dev", compiled_in)

    def test_libraries_of_other_compilers(self):
        for path in (self.unpacked() / "lib").glob("*.a"):
            self.assertNotIn(".gnu.lto_", run("readelf", "-SW", path))

    def test_pkg_config_finds_what_lies_in_the_archive(self):
        root = self.unpacked()
        said = run("pkg-config", "--static", "--libs", "llmproxy-core", env={
            **self.environment, "PKG_CONFIG_PATH": str(root / "lib/pkgconfig")})
        for word in re.findall(r"/\S+\.so\S*", said):
            self.assertTrue(os.path.samefile(
                os.path.dirname(word), root / "lib"), word)
            self.assertTrue(os.path.exists(word), word)
        self.assertIn("libfmt.so", said)

    def test_npm(self):
        (self.scratch / "package.json").write_text("{}", "ascii")
        run("npm", "install", "--offline", "--no-audit", "--no-fund",
            archive.find(OUT, "*.tgz"), cwd=self.scratch,
            env=self.environment)
        command = self.scratch / "node_modules/.bin/llm-proxy"
        self.assertIn("llm-proxy ", run(command, "version",
                                        env=self.environment))
        done = subprocess.run([command, "check", "--port", "70000"],
                              env=self.environment, capture_output=True,
                              check=False, timeout=60)
        self.assertEqual(done.returncode, 2, "the program's own code")
        self.serve(command)

    def test_pip(self):
        run(sys.executable, "-m", "venv", self.scratch / "venv",
            env=self.environment)
        python = self.scratch / "venv/bin/python"
        run(python, "-m", "pip", "install", "--no-index",
            "--disable-pip-version-check", archive.find(OUT, "*.whl"),
            env=self.environment)
        command = self.scratch / "venv/bin/llm-proxy"
        self.assertIn("llm-proxy ", run(command, "version",
                                        env=self.environment))
        self.assertIn("llm-proxy ", run(python, "-m", "llm_proxy", "version",
                                        env=self.environment))
        loaded = self.serve(command)
        self.assertTrue(any("/site-packages/llm_proxy/dist/lib/" in path
                            for path in loaded), loaded)


if __name__ == "__main__":
    program = unittest.main(argv=sys.argv[:1], exit=False, verbosity=2)
    result = program.result
    bad = len(result.failures) + len(result.errors)
    print(f"{result.testsRun - bad} passed, {bad} failed", file=sys.stderr)
    sys.exit(1 if bad else 0)
