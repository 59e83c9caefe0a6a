"""What a suite of tools/bench.py consists of: scenarios with clients, and what is asked of the results."""

import statistics


class Check:
    """One asked value. `measure` takes the results of all scenarios so far, {scenario: {client: {key: number}}}."""

    def __init__(self, what, measure, sense, limit, form="{:.2f} x", client="libhc"):
        self.what, self.measure, self.sense, self.limit, self.form, self.client = what, measure, sense, limit, form, client
        self.scenario = ""
        self.value = None

    @property
    def asked(self):
        return f"{self.sense} {self.form.format(self.limit)}"

    @property
    def is_met(self):
        """At the precision that is shown: a difference that nobody can see is none."""
        digits = int(self.form.partition(":")[2].partition(".")[2][:1] or 0)
        value = round(self.value, digits)
        return value >= self.limit if self.sense == ">=" else value <= self.limit

    def as_json(self):
        return {"what": self.what, "measured": round(self.value, 3), "asked": self.asked, "met": self.is_met}


class Scenario:
    """Clients that do the same; `columns` are (head, key, format) beyond the usual ones."""

    def __init__(self, name, title, connections, clients, checks=(), columns=()):
        self.name, self.title, self.connections = name, title, connections
        self.clients, self.checks, self.columns = list(clients), list(checks), list(columns)

    def evaluate(self, everything):
        """Fills in the measured values; what compares with a scenario that was not run is left out."""
        self.checks = [check for check in self.checks if self._evaluate(check, everything)]

    def _evaluate(self, check, everything):
        check.scenario = self.name
        try:
            check.value = check.measure(everything)
        except KeyError:
            return False
        return True


def ratio(key, scenario, client, other, other_scenario=None):
    """How many times `key` of one client is that of another: of two in one scenario the median over the rounds, for what
    the machine does meanwhile meets both of a pair."""

    def of_medians(all_):
        return all_[scenario][client][key] / all_[other_scenario][other][key]

    def of_pairs(all_):
        pairs = zip(all_[scenario][client]["rounds"], all_[scenario][other]["rounds"])
        return statistics.median(mine[key] / theirs[key] for mine, theirs in pairs)

    return of_medians if other_scenario else of_pairs


def value(key, scenario, client="libhc", scale=1.0):
    return lambda all_: all_[scenario][client][key] * scale


RATE, CPU = "requests_per_s", "cpu_us_per_request"


def at_least(what, measure, limit, **more):
    return Check(what, measure, ">=", limit, **more)


def at_most(what, measure, limit, **more):
    return Check(what, measure, "<=", limit, **more)
