"""What the core knows of storage: tables of volumes, claims, classes, drivers and capacities, and what it has assumed.

`tables.Storage` owns it all and is part of the cluster state; events write it, the volume plugins read it. The other
modules parse one kind of object each.
"""
