"""An honest emulator: moto as a server, with an overlay that repairs what differs from AWS.

It speaks AWS's own wire protocols, so the product runs against it unchanged (`AWS_ENDPOINT_URL`).
The product never imports this package and this package never imports the product.

    python -m emulator --company --speed 60 --start 2026-06-01T08:00:00Z --ready-file url

prints its URL once it answers. Options: `--speed 0` stops time (only `advance` moves it), `--plain`
serves moto without the overlay, `--parent PID` and `--until-stdin-closes` end it with its parent.

The control API, JSON in and out under `/_emulator/` (`emulator.client` has a method for each):

    GET             healthy
    GET POST        clock     {"speed": 60, "advance": 30}; seconds
    GET DELETE      calls     ?since=n; every AWS call with its parameters and its end
    GET POST DELETE faults    {"kind": "lost", "service": "ec2", "operation": ..., "match": ..., "times": 1}
    GET POST        physics   {"boot": 90, "insync": 30, ...}; seconds
    GET POST        knobs     {"name": "add_ami", "with": {...}}; what no AWS operation does
    POST            seed      {"company": true}
    POST            reset

One lock is held during each AWS request; before it the world catches up with the clock (`overlay`).
"""
