"""Which region an address lies in, against a plain list; what was sorted before a change is not believed after it."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from arenas.address_map import AddressMap
from arenas.region import Region
from tests.unit._fakes import FakeMapping

SLOT = 16  # regions begin at multiples of it, and are at most so long


def make_region(address: int | None, size: int = SLOT, arena: int = 0) -> Region:
    return Region(FakeMapping(size, address=address), base=0, page_bytes=0, arena_number=arena)


class AddressMachine(RuleBasedStateMachine):
    """Looked up through `find` alone, at every address after every step."""

    def __init__(self) -> None:
        super().__init__()
        self.map = AddressMap()
        self.regions: list[Region] = []
        self.gone: list[Region] = []

    @rule(slot=st.integers(0, 9), size=st.integers(1, SLOT), arena=st.integers(0, 1))
    def add(self, slot: int, size: int, arena: int) -> None:
        if all(region.address != slot * SLOT for region in self.regions):
            region = make_region(slot * SLOT, size, arena)
            self.map.add(region)
            self.regions.append(region)

    @rule()
    def add_without_address(self) -> None:
        self.map.add(make_region(None))

    @precondition(lambda self: self.regions)
    @rule(data=st.data())
    def remove(self, data: st.DataObject) -> None:
        region = self.regions.pop(data.draw(st.integers(0, len(self.regions) - 1)))
        self.map.remove(region)
        self.gone.append(region)

    @precondition(lambda self: self.gone)
    @rule(data=st.data())
    def remove_again(self, data: st.DataObject) -> None:
        """Harmless, also when another region begins at the same address by now."""
        self.map.remove(data.draw(st.sampled_from(self.gone)))

    @rule(arena=st.integers(0, 1), keep=st.integers(0, 1023), back=st.booleans())
    def restate(self, arena: int, keep: int, back: bool) -> None:
        """An arena's regions are what it says, whatever was there; the other arena's are untouched."""
        mine = [
            region for index, region in enumerate(self.regions) if region.arena_number == arena and keep >> index & 1
        ]
        others = [region for region in self.regions if region.arena_number != arena]
        self.gone += [region for region in self.regions if region not in (*mine, *others)]
        taken = {region.address for region in (*mine, *others)}
        returning = next((one for one in self.gone if one.arena_number == arena and one.address not in taken), None)
        if back and returning is not None:
            self.gone.remove(returning)
            mine.append(returning)
        self.map.restate(arena, iter(mine))
        self.regions = others + mine

    @invariant()
    def every_address_finds_its_region(self) -> None:
        for address in range(-1, 11 * SLOT):
            around = [one for one in self.regions if one.address is not None and 0 <= address - one.address < one.size]
            assert self.map.find(address) is (around[0] if around else None)


TestAddressMap = AddressMachine.TestCase


class Interrupted(dict[int, Region]):
    """Changes under the eyes of the first `copy`, right after it was made."""

    def __init__(self, old: dict[int, Region], change: Region, owner: AddressMap) -> None:
        super().__init__(old)
        self._change: Region | None = change
        self._owner = owner

    def copy(self) -> dict[int, Region]:
        copied = super().copy()
        if self._change is not None:
            change, self._change = self._change, None
            self._owner.add(change)
        return copied


def test_a_copy_made_while_a_region_comes_is_stale_at_once() -> None:
    """Added between the copy and its being stored, as another thread or a handler would: the next look finds it."""
    addresses = AddressMap()
    first, second = make_region(0), make_region(SLOT)
    addresses.add(first)
    addresses._region_at = Interrupted(addresses._region_at, second, addresses)
    addresses.find(SLOT)  # meets the change half way; either answer is that of some moment
    assert addresses.find(SLOT) is second
    assert addresses.find(0) is first


def test_a_region_that_went_is_not_found_through_what_was_sorted_before() -> None:
    """Gone from the dict, which is the authority, but still among the sorted addresses that a thread may hold."""
    addresses = AddressMap()
    region = make_region(0)
    addresses.add(region)
    assert addresses.find(3) is region
    addresses._region_at.pop(0)
    assert addresses.find(3) is None
