"""The wheel's build backend (PEP 517): builds the native module with CMake and packs it with the sources.

It needs nothing but Python itself; what is native comes from build/release, which it brings up to date.
"""

import base64
import hashlib
import pathlib
import subprocess
import sys
import sysconfig
import zipfile

import tomllib

ROOT = pathlib.Path(__file__).resolve().parents[1]
BUILD = ROOT / "build" / "release"


def project() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def metadata(about: dict) -> str:
    lines = [
        "Metadata-Version: 2.1",
        f"Name: {about['name']}",
        f"Version: {about['version']}",
        f"Summary: {about['description']}",
        f"License: {about['license']['text']}",
        f"Requires-Python: {about['requires-python']}",
        *(f"Classifier: {name}" for name in about["classifiers"]),
        *(f"Requires-Dist: {name}" for name in about["dependencies"]),
    ]
    for extra, names in about.get("optional-dependencies", {}).items():
        lines += [f"Provides-Extra: {extra}", *(f"Requires-Dist: {name}; extra == '{extra}'" for name in names)]
    return "\n".join([*lines, "Description-Content-Type: text/markdown", "", (ROOT / about["readme"]).read_text()])


def tag() -> str:
    version = f"cp{sys.version_info.major}{sys.version_info.minor}"
    return f"{version}-{version}-{sysconfig.get_platform().replace('-', '_').replace('.', '_')}"


def build_native() -> None:
    if not (BUILD / "build.ninja").exists():
        subprocess.run(["cmake", "--preset", "release", f"-DPython_EXECUTABLE={sys.executable}"], cwd=ROOT, check=True)
    subprocess.run(["ninja", "-C", str(BUILD), "chimera_python"], check=True)


def contents() -> list[tuple[str, pathlib.Path]]:
    """Name in the wheel and file. The tree that the build links together is the package as it is."""
    suffix = sysconfig.get_config_var("EXT_SUFFIX")
    result = []
    for path in sorted((BUILD / "python").glob("chimera/**/*")) + sorted(linked(BUILD / "python" / "chimera")):
        native = path.name.startswith("_bridge.") and path.suffix == ".so"
        if path.is_dir() or "__pycache__" in path.parts or (native and not path.name.endswith(suffix)):
            continue
        result.append((str(path.relative_to(BUILD / "python")), path))
    return sorted(set(result))


def linked(package: pathlib.Path) -> list[pathlib.Path]:
    """Files below the folders that the build links (glob does not follow links)."""
    return [path for folder in package.iterdir() if folder.is_symlink() and folder.is_dir()
            for path in folder.glob("**/*")]


def build_wheel(
    wheel_directory: str, config_settings: dict | None = None, metadata_directory: str | None = None
) -> str:
    build_native()
    about = project()
    stem = f"{about['name'].replace('-', '_')}-{about['version']}"
    name = f"{stem}-{tag()}.whl"
    texts = {
        f"{stem}.dist-info/METADATA": metadata(about),
        f"{stem}.dist-info/WHEEL": f"Wheel-Version: 1.0\nGenerator: chimera\nRoot-Is-Purelib: false\nTag: {tag()}\n",
        f"{stem}.dist-info/LICENSE": (ROOT / "LICENSE").read_text(),
    }
    record = []
    with zipfile.ZipFile(pathlib.Path(wheel_directory) / name, "w", zipfile.ZIP_DEFLATED) as wheel:
        def add(inside: str, data: bytes) -> None:
            digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
            record.append(f"{inside},sha256={digest},{len(data)}")
            info = zipfile.ZipInfo(inside, (2020, 1, 1, 0, 0, 0))  # The same files give the same wheel.
            info.external_attr = 0o755 << 16 if inside.endswith(".so") else 0o644 << 16
            wheel.writestr(info, data, zipfile.ZIP_DEFLATED)

        for inside, path in contents():
            add(inside, path.read_bytes())
        for inside, text in texts.items():
            add(inside, text.encode())
        wheel.writestr(f"{stem}.dist-info/RECORD", "\n".join([*record, f"{stem}.dist-info/RECORD,,", ""]))
    return name


def get_requires_for_build_wheel(config_settings: dict | None = None) -> list[str]:
    return []
