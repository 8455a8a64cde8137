-- What a community keeps under names: variables, counters, lists, queues, quotes, countdowns.

-- `owner` is empty where it is the community's own, else the key of a person.
CREATE TABLE data (
    community TEXT NOT NULL,
    owner TEXT NOT NULL,
    key TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (community, owner, key)
) STRICT;
