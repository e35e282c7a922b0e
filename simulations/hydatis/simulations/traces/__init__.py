"""Recorded traces of public clusters, each read to one typed form.

`forms` says what a trace becomes, `folder` where its files are and whether they are the ones meant, `sources` where a
user gets the originals; each other module reads one source and knows its quirks. The project ships none of the data:
it is found through the environment variable HYDATIS_DATA.
"""
