"""An honest emulator: moto as a server, with an overlay that repairs what differs from AWS.

It speaks AWS's own wire protocols, so the product runs against it unchanged (`AWS_ENDPOINT_URL`).
The product never imports this package and this package never imports the product. Start it with
`python -m emulator`; `emulator.client` is the way to its clock, faults, knobs and call log.
"""
