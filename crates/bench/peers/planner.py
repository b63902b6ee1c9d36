"""Fleet problems as mixed-integer programs, solved by HiGHS.

Reads one job as JSON from the file that is its argument: {"gap": g, "seconds": s, "tight": t, "problems": [{"name": ..., "problem": ...}]},
and writes one line of JSON for each: status, the best solution's objective and the best bound in micro-dollars, seconds,
and when each better solution was found. All seconds are CPU seconds of its one thread, its limit too, so that other
load on the machine takes nothing from it. The program is the one that crates/planner/README.md states, or an equal one that
is tighter, built here from the stated problem alone: nothing is taken from the optimiser that it is compared with. highspy 1.11.0.
"""
import json
import math
import sys
import time

import highspy
import numpy as np

INF = highspy.kHighsInf


class Program:
    """Columns and rows, gathered before they are passed on."""

    def __init__(self):
        self.cost, self.upper, self.entries = [], [], []
        self.low, self.high = [], []

    def column(self, cost, upper=INF):
        self.cost.append(cost)
        self.upper.append(upper)
        self.entries.append([])
        return len(self.cost) - 1

    def row(self, terms, low, high):
        place = len(self.low)
        self.low.append(low)
        self.high.append(high)
        for column, value in terms:
            self.entries[column].append((place, value))
        return place


def bill(price, seconds):
    return -(-price * seconds // 3600)


def worth_renting(component, pools, quotas):
    """Offers without those that another one makes useless: as many units in the same zone, billed alike, no dearer, no
    slower, and under no quota."""
    stands = {standing["pool"] for standing in component["standing"]}
    limited = {k for quota in quotas for k, _ in quota["uses"]}

    def cheapest_first(offer):
        return pools[offer[0]]["price"], pools[offer[0]]["lead_periods"], offer[0] in limited, offer[0]

    def useless(offer, other):
        (k, units), (j, others) = offer, other
        pool, by = pools[k], pools[j]
        alike = units == others and pool["zone"] == by["zone"] and pool["billing"] == by["billing"]
        return alike and j not in limited and by["price"] <= pool["price"] and by["lead_periods"] <= pool["lead_periods"]

    kept = []
    for offer in sorted(component["offers"], key=cheapest_first):
        if offer[0] in stands or not any(useless(offer, other) for other in kept):
            kept.append(offer)
    return kept


def least_of_period(prices, wanted, spare):
    """What whole instances of these sizes cost at least that serve one period alone: `prices` by units and zone,
    `wanted` units and `spare` units without each zone."""
    program = Program()
    columns = {size: program.column(price) for size, price in prices.items()}
    program.row([(column, units) for (units, _), column in columns.items()], wanted, INF)
    for zone, units_without in spare.items():
        without = [(column, units) for (units, own), column in columns.items() if own != zone]
        program.row(without, units_without, INF)
    highs = solver(program, 0.0005, 5.0)
    highs.run()
    bound = highs.getInfo().mip_dual_bound
    return bound * (1 - 1e-9) if math.isfinite(bound) else 0.0


def build(problem, tight):
    """The program. A `tight` one has no useless offers, sums of alike instances as columns, for short rows and whole counts
    to branch on, and what each period costs at least by itself: slower to build, and its relaxation is nearer."""
    periods, length = problem["periods"], problem["period_seconds"]
    pools = problem["pools"]
    program = Program()
    quota_terms = [[[] for _ in range(periods)] for _ in problem["quotas"]]
    quota_bound = [[0] * periods for _ in problem["quotas"]]
    money = []
    forced = 0
    for component in problem["components"]:
        floor = component["floor"]
        ceiling = max(component["ceiling"], floor)
        wanted = [min(max(units, floor), ceiling) for units in component["demand"]]
        share = min(component["survives_zone_per_mille"], 1000)
        spare = [-(-units * share // 1000) for units in wanted]
        there = [[] for _ in range(periods)]
        serving_fixed, there_fixed = [0] * periods, [0] * periods
        zones = {pools[k]["zone"] for k, _ in component["offers"]} if any(spare) else set()
        without_fixed = {zone: [0] * periods for zone in zones}
        # Columns that serve in each period, by units and zone.
        serving = [{} for _ in range(periods)]
        prices = {}
        for k, units in worth_renting(component, pools, problem["quotas"]) if tight else component["offers"]:
            pool = pools[k]
            size = units, pool["zone"]
            prices[size] = min(prices.get(size, INF), pool["price"] * length / 3600)
            granule = max(1, -(-pool["billing"]["granularity_seconds"] // length))
            least = max(
                1, -(-pool["billing"]["minimum_seconds"] // length), component["lifetime_periods"], pool["lead_periods"] + 1
            )
            first = -(-least // granule) * granule
            first_price, again_price = bill(pool["price"], first * length), bill(pool["price"], granule * length)
            uses = [(q, weight) for q, quota in enumerate(problem["quotas"]) for j, weight in quota["uses"] if j == k]
            standing = [s for s in component["standing"] if s["pool"] == k]
            start = component["start_price"] * units
            new = [program.column(first_price + start) for _ in range(periods)]
            more = [program.column(again_price) for _ in range(periods)]
            money += [(column, first_price) for column in new] + [(column, again_price) for column in more]
            for t in range(periods):
                # Only what has just ended is prolonged.
                ended = [(more[t], 1)]
                if t >= first:
                    ended.append((new[t - first], -1))
                if t >= granule:
                    ended.append((more[t - granule], -1))
                ending = sum(s["count"] for s in standing if s["bound_until"] == t)
                program.row(ended, ending if component["stateful"] else -INF, ending)
                held = [new[s] for s in range(max(0, t - first + 1), t + 1)]
                held += [more[s] for s in range(max(0, t - granule + 1), t + 1)]
                served = [new[s] for s in range(max(0, t - first + 1), t - pool["lead_periods"] + 1)]
                served += [more[s] for s in range(max(0, t - granule + 1), t + 1)]
                bound = sum(s["count"] for s in standing if s["bound_until"] > t)
                bound_serving = sum(s["count"] for s in standing if s["bound_until"] > t and s["serves_from"] <= t)
                for s in standing:
                    if s["serves_from"] > s["bound_until"]:
                        raise ValueError("what stands and does not serve yet must be bound")
                there[t] += [(column, units) for column in held]
                serving[t].setdefault(size, []).extend(served)
                there_fixed[t] += units * bound
                serving_fixed[t] += units * bound_serving
                for zone in zones:
                    if zone != pool["zone"]:
                        without_fixed[zone][t] += units * bound_serving
                for q, weight in uses:
                    quota_terms[q][t] += [(column, weight) for column in held]
                    quota_bound[q][t] += weight * bound
        for t in range(periods):
            if tight:
                sums = {size: program.column(0) for size in serving[t]}
                for size, columns in serving[t].items():
                    program.row([(column, 1) for column in columns] + [(sums[size], -1)], 0, 0)
                serving[t] = {size: [column] for size, column in sums.items()}
            terms = [(column, size[0]) for size, columns in serving[t].items() for column in columns]
            without_zone = {zone: spare[t] - fixed[t] for zone, fixed in without_fixed.items()}
            if tight and component["shortage_price"] is None:
                least = least_of_period(prices, wanted[t] - serving_fixed[t], without_zone)
                program.row([(column, prices[size]) for size, column in sums.items()], least, INF)
            if component["shortage_price"] is not None:
                may_miss = wanted[t] - min(floor, wanted[t])
                terms.append((program.column(component["shortage_price"], may_miss), 1))
            program.row(terms, wanted[t] - serving_fixed[t], INF)
            program.row(there[t], -INF, max(ceiling, there_fixed[t]) - there_fixed[t])
            for zone in zones:
                others = [(column, size[0]) for size, columns in serving[t].items() if size[1] != zone for column in columns]
                program.row(others, without_zone[zone], INF)
    for q, quota in enumerate(problem["quotas"]):
        for t in range(periods):
            room = max(quota["limit"], quota_bound[q][t]) - quota_bound[q][t]
            program.row(quota_terms[q][t], -INF, room)
    if problem["budget"] is not None:
        program.row(money, -INF, problem["budget"] - forced)
    return program


def model(program):
    lp = highspy.HighsLp()
    columns, rows = len(program.cost), len(program.low)
    lp.num_col_, lp.num_row_ = columns, rows
    lp.col_cost_ = np.array(program.cost, dtype=float)
    lp.col_lower_ = np.zeros(columns)
    lp.col_upper_ = np.array(program.upper, dtype=float)
    lp.row_lower_ = np.array(program.low, dtype=float)
    lp.row_upper_ = np.array(program.high, dtype=float)
    lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    starts = np.cumsum([0] + [len(entries) for entries in program.entries])
    lp.a_matrix_.start_ = starts.astype(np.int32)
    lp.a_matrix_.index_ = np.array([row for entries in program.entries for row, _ in entries], dtype=np.int32)
    lp.a_matrix_.value_ = np.array([value for entries in program.entries for _, value in entries], dtype=float)
    lp.integrality_ = [highspy.HighsVarType.kInteger] * columns
    return lp


def solver(program, gap, clock_seconds):
    highs = highspy.Highs()
    highs.setOptionValue("output_flag", False)
    highs.setOptionValue("threads", 1)
    highs.setOptionValue("mip_rel_gap", gap)
    highs.setOptionValue("time_limit", clock_seconds)
    highs.passModel(model(program))
    return highs


def solve(program, gap, seconds):
    # It is stopped at its CPU seconds below; the clock only ends what would never look.
    highs = solver(program, gap, 20.0 * seconds)
    found = []
    began = time.process_time()

    def better(event):
        found.append([time.process_time() - began, event.data_out.objective_function_value])

    def stop(event):
        if time.process_time() - began > seconds:
            event.interrupt()

    highs.cbMipImprovingSolution += better
    highs.cbMipInterrupt += stop
    highs.cbSimplexInterrupt += stop
    highs.run()
    took = time.process_time() - began
    status = highs.modelStatusToString(highs.getModelStatus())
    if status == "Interrupted by user":
        status = "Time limit reached"
    info = highs.getInfo()
    value = info.objective_function_value
    # 1 is a feasible primal solution.
    has = info.primal_solution_status == 2 and math.isfinite(value)
    bound = info.mip_dual_bound
    return {
        "status": status,
        "objective": value if has else None,
        "bound": bound if math.isfinite(bound) else None,
        "seconds": took,
        "found": found + ([[took, value]] if has else []),
    }


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        job = json.load(file)
    for stated in job["problems"]:
        began = time.process_time()
        try:
            program = build(stated["problem"], job["tight"])
            line = solve(program, job["gap"], job["seconds"])
            line["columns"], line["rows"] = len(program.cost), len(program.low)
        except Exception as error:  # noqa: BLE001 - a peer that fails is a result
            line = {"error": repr(error)[:200]}
        line["name"] = stated["name"]
        line["with_building"] = time.process_time() - began
        print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
