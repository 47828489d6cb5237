"""What a run ran on: figures mean nothing without it."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import sys
from pathlib import Path
from typing import Final

import arenas

_PACKAGES: Final = ("numpy", "pyarrow", "torch", "sortedcontainers", "matplotlib")
_CPU_INFO: Final = Path("/proc/cpuinfo")
_OWN_PAGES: Final = Path("/proc/self/statm")


def describe() -> dict[str, str]:
    """Machine, interpreter and packages, each in words."""
    free_threaded = getattr(sys, "_is_gil_enabled", lambda: True)() is False
    return {
        "CPU": f"{_cpu_model()}, {_cores()} cores",
        "system": f"{platform.system()} {platform.release()}, {' '.join(platform.libc_ver()) or 'libc unknown'}",
        "load before": f"{os.getloadavg()[0]:.1f}",  # a busy machine shows in the ranges, and in two threads above all
        "Python": f"{platform.python_implementation()} {platform.python_version()}",
        "GIL": "no" if free_threaded else "yes",
        "arenas": arenas.__version__,
        **{package: _version(package) for package in _PACKAGES},
    }


def resident_bytes() -> int | None:
    """What of this process is in memory now, all told; None where the system does not say."""
    try:
        pages = _OWN_PAGES.read_text(encoding="ascii").split()[1]
    except OSError:
        return None
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def _cpu_model() -> str:
    try:
        lines = _CPU_INFO.read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor() or platform.machine()


def _cores() -> int:
    affinity = getattr(os, "sched_getaffinity", None)  # those this process may use; only Linux tells
    return len(affinity(0)) if affinity is not None else os.cpu_count() or 1


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"
