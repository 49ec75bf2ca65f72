"""Chimera for Python: workflows, activities, clients and workers for the Temporal service."""

import pkgutil

# Other distributions, and the generated protocol classes in a source tree, live beside this folder.
__path__ = pkgutil.extend_path(__path__, __name__)

__version__ = "0.1.0"
