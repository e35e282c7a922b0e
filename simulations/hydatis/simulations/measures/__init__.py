"""What a run is judged by: from one `RunRecord` to named numbers, each with a unit, a direction and a definition.

`catalogue` lists all measures; `overload`, `balance`, `service` and `capacity` hold them by what they are about;
`counted` is the part of a run that counts; `timeline` is what the report draws of it,
`testing` builds records by hand.
"""
