"""What a site's broker needs: who may do what, and certificates for those who have no authority of their own.

Belongs here: the roles and the access list made of them, a small certificate authority.
Does not belong here: speaking to a broker; running one; its configuration, which is in `deploy/broker`.
May import: alerts, clock, files, errors; cryptography in `certificates.py` only.
Called by: cli.
To add one, copy `bridges` in `roles.py`: a role is a name and its lines of the access list.
"""
