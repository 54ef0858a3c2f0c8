using System.Text.Json;
using Omium.Kernel.Executions;
using Omium.Runtime.Effects;
using Omium.Simulation.Running;
using Omium.Simulation.Scheduling;
using Omium.Simulation.Workflows;

namespace Omium.Simulation.Outside;

/// <summary>
/// The tool client of one process. A request is two steps, it arrives and is answered, and each may fail: it never arrives, it arrives twice, it
/// is done and the answer is lost, it is refused, the answer says nothing clear.
/// </summary>
internal sealed class SimulatedTools(Scheduler scheduler, SimulatedProcess process, World world, Weather weather, Tally tally) : IToolClient
{
    private const int LargeBytes = 6_000;
    private readonly List<Flight> _flights = [];

    public Task<EffectOutcome> CallAsync(ToolRequest request, CancellationToken cancellation)
    {
        var flight = new Flight(request, new TaskCompletionSource<EffectOutcome>(), DrawnTools.KindOf(request.Tool.Name));
        var timeoutMs = (long)request.Timeout.TotalMilliseconds;
        world.Sent[request.EffectId] = world.Sent.GetValueOrDefault(request.EffectId) + 1;
        world.Sending?.Invoke(request.EffectId);
        world.UnderWay[request.EffectId] = world.UnderWay.GetValueOrDefault(request.EffectId) + 1;
        _flights.Add(flight);
        world.Limits.Begins(process.Owner, request.Tool.Name, scheduler.NowMs);
        var subject = Subject(request);
        if (MayFail(request) && weather.Happens(weather.ToolFailsOneIn * 2))
        {
            tally.Met("not connected", subject);
            flight.Cut = true;
            var refused = new EffectFailure("tool_error", "connection_refused", "nobody answers there", Permanent: !weather.ProbesAreClear && weather.Happens(6));
            scheduler.Plan(new Step(process, "reply", subject, () => Answer(flight, new EffectOutcome { Failure = refused })), weather.NetworkDelayMs(timeoutMs));
            return flight.Done.Task;
        }

        // A request arrives within its time-out, and before anybody may ask whether it did: what comes later was cut off with its connection.
        var arrivesMs = weather.NetworkDelayMs(Math.Min(timeoutMs, DrawnTools.VerifyAfterMs) - 1);
        scheduler.Plan(new Step(null, "call", subject, () => Arrive(flight)), arrivesMs);
        if (flight.Kind == "idempotent" && weather.Happens(weather.DoubledOneIn))
        {
            tally.Met("arrives twice", subject);
            scheduler.Plan(new Step(null, "call again", subject, () => ArriveAgain(flight)), arrivesMs);
        }

        var repliesMs = arrivesMs + weather.NetworkDelayMs(timeoutMs * 2);
        if (MayFail(request) && (repliesMs >= timeoutMs || weather.Happens(weather.ToolFailsOneIn * 2)))
        {
            tally.Met("no reply in time", subject);
            var silent = new EffectFailure("timeout", "tool_timeout", "no answer in time", MayHaveHappened: true);
            scheduler.Plan(new Step(process, "reply", subject, () => Answer(flight, new EffectOutcome { Failure = silent })), timeoutMs);
        }
        else
        {
            scheduler.Plan(new Step(process, "reply", subject, () => Answer(flight, flight.Reply ?? Unclear())), Math.Min(repliesMs, timeoutMs - 1));
        }

        return flight.Done.Task;
    }

    /// <summary>The process died: what it had sent arrives now or never.</summary>
    public void Crash()
    {
        foreach (var flight in _flights.Where(flight => !flight.Arrived && !flight.Ended && !flight.Cut))
        {
            if (weather.Dice.OneIn(2))
            {
                Arrive(flight);
            }

            flight.Cut = true;
        }

        foreach (var flight in _flights)
        {
            Land(flight);
        }

        _flights.Clear();
    }

    private void Arrive(Flight flight)
    {
        if (flight.Cut || flight.Arrived || flight.Ended)
        {
            return;
        }

        flight.Arrived = true;
        flight.Reply = Carry(flight);
    }

    private void ArriveAgain(Flight flight)
    {
        if (flight is { Cut: false, Did: true })
        {
            Perform(flight);
        }
    }

    /// <summary>Where nobody shall be needed, probes and compensations are down for some time, but not for good.</summary>
    private bool MayFail(ToolRequest request) => !weather.ProbesAreClear || request.Tool.Name is not ("look" or "undo") || world.Sent[request.EffectId] <= 2;

    private EffectOutcome Carry(Flight flight)
    {
        var tool = flight.Request.Tool.Name;
        var fails = MayFail(flight.Request) && weather.Happens(weather.ToolFailsOneIn);
        if (tool == "look")
        {
            return fails ? Unclear() : Probe(flight.Request);
        }

        if (tool == "undo")
        {
            if (!fails || weather.Happens(2))
            {
                world.Undo(ExecutionOf(flight.Request.EffectId), flight.Request.EffectId, flight.Request.Arguments.GetProperty("key").GetString()!);
            }

            return fails ? Failing(false) : Result("{}");
        }

        if (!fails && tool == "measure")
        {
            return Result($$"""{"n": {{Measure(flight.Request.Arguments, flight.Request.EffectId)}}}""");
        }

        if (!fails)
        {
            Perform(flight);
            return Result(Output(flight.Request.EffectId));
        }

        tally.Met("tool fails", Subject(flight.Request));
        if (flight.Kind == "none")
        {
            return Failing(false);
        }

        switch (weather.Dice.Below(4))
        {
            case 0:
                Perform(flight);
                return Unclear(); // Done, and the answer says nothing.
            case 1:
                return Unclear(); // Not done, and the answer says nothing.
            default:
                return Failing(weather.Dice.OneIn(3));
        }
    }

    /// <summary>Whoever measures a claim sees what there is, or in the first phase something else.</summary>
    private double Measure(JsonElement message, string effect)
    {
        var there = Math.Max(DrawnHandoff.SaidOf(message, "n"), DrawnHandoff.SaidOf(message, "succeeded"));
        var seen = weather.Happens(4) ? there + 1 : there;
        world.Measured.Add((effect, seen));
        return seen;
    }

    private void Perform(Flight flight)
    {
        flight.Did = true;
        if (flight.Kind != "none")
        {
            world.Do(flight.Request.EffectId, flight.Request.Tool.Name, flight.Request.IdempotencyKey ?? "");
        }
    }

    private EffectOutcome Probe(ToolRequest request) => world.Stands(request.Arguments.GetProperty("key").GetString()!)
        ? Result($$"""{"status": "done", "output": {{Output(request.EffectId)}}}""")
        : Result(!weather.ProbesAreClear && weather.Happens(8) ? """{"status": "unknown"}""" : """{"status": "not_done"}""");

    /// <summary>An output tells by its tag which effect made it; some are large.</summary>
    private string Output(string effect)
    {
        var tag = $"t{world.EffectOfTag.Count + 1}";
        world.EffectOfTag[tag] = effect;
        var pad = weather.Dice.OneIn(15) ? $", \"pad\": \"{new string('x', LargeBytes)}\"" : "";
        return $$"""{"n": {{Number(weather)}}, "tag": "{{tag}}"{{pad}}}""";
    }

    /// <summary>3 breaks guards and what is above 6 goes round loops; healed, neither.</summary>
    public static int Number(Weather weather) => weather.Happens(weather.BadNumberOneIn) ? weather.Dice.Of([3, 3, 7, 9]) : weather.Dice.Of([1, 4, 5, 6]);

    private static EffectOutcome Result(string json) => new() { Result = JsonElement.Parse(json) };

    private static EffectOutcome Failing(bool permanent) => new() { Failure = new EffectFailure("tool_error", permanent ? "http_422" : "http_429", "refused", Permanent: permanent) };

    private static EffectOutcome Unclear() => new() { Failure = new EffectFailure("tool_error", "http_503", "something broke", MayHaveHappened: true) };

    private void Answer(Flight flight, EffectOutcome outcome)
    {
        Land(flight);
        _flights.Remove(flight);
        world.Limits.Ends(process.Owner, flight.Request.Tool.Name, scheduler.NowMs, outcome.Failure is { Permanent: false });
        flight.Done.SetResult(outcome);
    }

    private void Land(Flight flight)
    {
        if (!flight.Ended)
        {
            flight.Ended = true;
            world.UnderWay[flight.Request.EffectId]--;
        }
    }

    public static string ExecutionOf(string effect) => effect[..effect.IndexOf('/', StringComparison.Ordinal)];

    private static string Subject(ToolRequest request) => request.Tool.Name switch
    {
        "undo" => "compensation",
        "look" => "probe",
        var tool => DrawnTools.KindOf(tool),
    };

    private sealed record Flight(ToolRequest Request, TaskCompletionSource<EffectOutcome> Done, string Kind)
    {
        public bool Arrived { get; set; }

        public bool Did { get; set; }

        public bool Cut { get; set; }

        public bool Ended { get; set; }

        public EffectOutcome? Reply { get; set; }
    }
}
