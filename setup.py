"""The wheel carries what lies beside the package: workflow, programs, configuration, profiles.

In a checkout, and so in an editable install, they are taken from where they are.
"""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

FOLDERS = ("workflow", "scripts", "config", "profiles")


class BuildWithProject(build_py):
    def run(self) -> None:
        super().run()
        if self.editable_mode:
            return
        target = Path(self.build_lib) / "neus" / "project"
        shutil.rmtree(target, ignore_errors=True)
        for folder in FOLDERS:
            ignored = shutil.ignore_patterns("__pycache__", "*.pyc")
            shutil.copytree(folder, target / folder, ignore=ignored)
        shutil.copy("Snakefile", target)


setup(cmdclass={"build_py": BuildWithProject})
