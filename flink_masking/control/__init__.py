"""Signed control documents for running jobs: policies, grants, revocations, erasures, trust; see docs/control.md.

`envelope` signs and verifies (DSSE), `bodies` are what is signed, `trust` says whose signatures count, `sources` are where documents lie,
`state` decides what is in force, `memory` keeps what must survive a restart, and `watcher` is what a worker holds.
"""
