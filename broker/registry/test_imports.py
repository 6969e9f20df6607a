"""Start-up has half a second: what only one kind of registry needs is imported when that kind is opened."""

import subprocess
import sys


def test_neither_kazoo_nor_sqlite_is_imported_with_the_registry() -> None:
    code = (
        "import sys, broker.registry.embedded, broker.registry.zookeeper, broker.cluster.registration; "
        "print([name for name in ('kazoo', 'sqlite3') if name in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"
