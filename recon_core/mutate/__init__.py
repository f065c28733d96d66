"""Faults put into copies of a session, and the gate's answer to each: would it have caught it?"""
