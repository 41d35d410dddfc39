#!/bin/sh
# A node that is out of service: nobody can have what it has alone.
scontrol update NodeName=d1 State=DRAIN Reason=test
