"""The words for why a source was not watched."""

CAUSES = {
    "connecting": "it is being opened for the first time since the start",
    "unreachable": "no answer from its address",
    "refused_login": "it wants another user or password",
    "no_stream": "it answers, but has no stream of that name or kind",
    "stalled": "it is open, but nothing comes",
    "broken": "its stream or driver failed",
    "ended": "the file was played to its end",
    "undecodable": "what it sends cannot be decoded",
    "unwatched": "it gives, but no detector could be had, or analysis stood still",
    "overloaded": "this device had no time for it",
    "restarted": "the service did not run: it was stopped, killed or crashed",
    "power": "the machine itself stopped without a word",
}
"""What each cause means, in words that end a sentence."""
