"""The C++ SDK as a Conan 2 package, whose own dependencies are the system's packages, as in a build without Conan:

    conan create packaging/conan     # From a clone: builds it; minutes.
    conan export-pkg packaging/conan -c user.chimera:build_folder=BUILD    # What is built already.
"""

import pathlib
import re
import shutil
import subprocess

from conan import ConanFile
from conan.errors import ConanException
from conan.tools.system.package_manager import Apt


class Chimera(ConanFile):
    name = "chimera"
    description = "Workers of the Temporal service in C++, and an embedded server"
    license = "Apache-2.0"
    settings = "os", "arch", "compiler", "build_type"
    package_type = "shared-library"

    def set_version(self):
        text = (self._root() / "CMakeLists.txt").read_text()
        self.version = re.search(r"project\(chimera VERSION ([\d.]+)", text).group(1)

    def export(self):
        shutil.copy(self._root() / "scripts/setup", self.export_folder)

    def export_sources(self):
        files = subprocess.run(["git", "ls-files"], cwd=self._root(), stdout=subprocess.PIPE, text=True, check=True)
        for file in files.stdout.splitlines():
            to = pathlib.Path(self.export_sources_folder, file)
            to.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(self._root() / file, to)

    def layout(self):
        self.folders.root = "../.."
        self.folders.source = "."
        self.folders.build = str(self.conf.get("user.chimera:build_folder", default="build/conan"))
        self.folders.generators = f"{self.folders.build}/conan"

    def validate(self):
        if self.settings.os != "Linux":
            raise ConanException("chimera runs on Linux")

    def system_requirements(self):
        beside = pathlib.Path(self.recipe_folder, "setup")  # In Conan's cache.
        script = beside if beside.exists() else self._root() / "scripts/setup"
        packages = re.search(r"packages=\((.*?)\)", script.read_text(), re.DOTALL).group(1)
        Apt(self).install(packages.split(), check=True)

    def build(self):
        self.run("scripts/setup --protocol", cwd=self.source_folder)
        options = [f"-D{name}=OFF" for name in ("CHIMERA_TESTS", "CHIMERA_PYTHON", "CHIMERA_BENCH", "CHIMERA_SAMPLES")]
        build_type = f"-DCMAKE_BUILD_TYPE={self.settings.build_type}"
        self.run(f"cmake -S {self.source_folder} -B . -G Ninja {build_type} {' '.join(options)}")
        self.run("cmake --build .")

    def package(self):
        for component in ("sdk", "tools"):
            self.run(f"cmake --install {self.build_folder} --prefix {self.package_folder} --component {component}")

    def package_info(self):
        # find_package(chimera) finds the package's own files, as in any other install.
        self.cpp_info.set_property("cmake_find_mode", "none")
        self.cpp_info.set_property("pkg_config_name", "none")
        self.cpp_info.builddirs = ["lib/cmake/chimera"]
        self.cpp_info.libs = ["chimera"]

    def _root(self):
        return pathlib.Path(self.recipe_folder).parents[1]
