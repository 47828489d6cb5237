"""Where memory comes from. Each backing maps ranges; it knows nothing of spans or locks."""

from __future__ import annotations

from .address_space import AddressSpace
from .anonymous import AnonymousMemory
from .budget import Budget
from .file import FileMemory

__all__ = ["AddressSpace", "AnonymousMemory", "Budget", "FileMemory"]
