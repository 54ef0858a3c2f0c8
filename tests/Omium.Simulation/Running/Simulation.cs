using System.Text.Json;
using Omium.Kernel.Executions;
using Omium.Kernel.Json;
using Omium.Kernel.Resources;
using Omium.Kernel.Specs;
using Omium.Runtime.Effects;
using Omium.Runtime.Effects.Limits;
using Omium.Runtime.Executions;
using Omium.Runtime.Payloads;
using Omium.Runtime.Ports;
using Omium.Runtime.Resources;
using Omium.Runtime.Security;
using Omium.Simulation.Laws;
using Omium.Simulation.Outside;
using Omium.Simulation.Scheduling;
using Omium.Simulation.Storage;
using Omium.Simulation.Workflows;

namespace Omium.Simulation.Running;

/// <summary>
/// One seed: workflows, executions, hosts and weather are drawn; in the first phase everything goes wrong and safety is watched; then faults stop
/// and every execution must finish.
/// </summary>
internal sealed partial class Simulation
{
    private const string Tenant = "ten_sim";
    private const int HealingStepsMax = 20_000, RestartMostMs = 3_000, ClocksDifferMostMs = 2_000;
    private static readonly byte[] MasterKey = new byte[32];
    private readonly Dice _dice;
    private readonly Scheduler _scheduler;
    private readonly SimulatedStore _store = new();
    private readonly World _world;
    private readonly Weather _weather;
    private readonly PeopleCrowd _people;
    private readonly WorkerCrowd _workers;
    private readonly LocalKeyWrap _keys = new(MasterKey);
    private readonly Dictionary<string, Chronicle> _chronicles = [];
    private readonly RootBook _roots;
    private readonly Dictionary<StreamId, byte[]> _dataKeys = [];
    private readonly Dictionary<(string Execution, int Number), int> _delivered = [];
    private readonly List<SimulatedHost> _hosts = [];
    private readonly List<Start> _starts = [];
    private readonly PlanCache _plans;
    private readonly Features _allowed;
    private Features _features;
    private long _latestMs;

    public Simulation(int seed, Features features = Features.All, bool traced = false)
    {
        Seed = seed;
        _allowed = features;
        _dice = new Dice((ulong)seed * 0xD1B54A32D192ED03UL);
        _weather = new Weather(_dice.Split(1));
        _scheduler = new Scheduler(_dice.Split(2)) { Trace = traced ? [] : null, Before = Injure, Settled = PlanTicks };
        _world = new World(() => _scheduler.NowMs);
        _people = new PeopleCrowd(_dice.Split(3), _world, _weather, Tally, () => SimulatedHost.EpochMs + _scheduler.NowMs);
        _store.Synced = Observe;
        _roots = new RootBook(name => _chronicles.GetValueOrDefault(name));
        _plans = new PlanCache(new SpecDocuments(_store));
        _workers = new WorkerCrowd(
            _scheduler, _world, _weather, Tally, () => [.. _hosts.Select(host => host.Process).OfType<SimulatedProcess>().Where(process => process is { Alive: true, Engine: not null })], name => _chronicles.GetValueOrDefault(name));
        _world.Sending = effect =>
        {
            var broken = _forks.TryGetValue(SimulatedTools.ExecutionOf(effect), out var fork)
                ? fork.Sending(effect, _world.Sent[effect])
                : WorldLaws.Sending(_world, effect, _chronicles.GetValueOrDefault(SimulatedTools.ExecutionOf(effect)));
            if (broken is not null)
            {
                _world.Violations.Add(broken);
            }
        };
    }

    public int Seed { get; }

    public Tally Tally { get; } = new();

    public List<string> Violations { get; } = [];

    public IReadOnlyList<string> Trace => _scheduler.Trace ?? [];

    public IReadOnlyDictionary<string, Chronicle> Chronicles => _chronicles;

    /// <summary>What happened outside.</summary>
    public IReadOnlyList<Deed> Deeds => _world.Deeds;

    public int Steps => _scheduler.Taken;

    /// <summary>True when nothing in its workflows needs a person by design, and nobody interferes.</summary>
    public bool NeedsNobody { get; private set; }

    public void Run()
    {
        try
        {
            Draw();
            while (_scheduler.Taken < _weather.FaultySteps && !Finished && !Broke)
            {
                Interfere();
                if (!_scheduler.Take())
                {
                    break;
                }
            }

            if (!Broke)
            {
                Heal();
            }

            if (!Broke)
            {
                Violations.AddRange(EndLaws.Check(this, _store, _world, _keys).Concat(_roots.AtTheEnd(_chronicles.Values)).Concat(CheckKin()).Concat(LedgerAtTheEnd()));
            }
        }
        catch (Exception error) when (error is LawBrokenException or BusyLoopException or CorruptLogException or KeyNotFoundException)
        {
            Violations.Add(error.ToString());
        }

        _ = Broke;
    }

    private void Draw()
    {
        var dice = _dice.Split(4);
        _features = FeatureDrawer.Choose(_dice.Split(5), _allowed);
        if (_weather.ClockOneIn > 0)
        {
            _features &= ~(Features.Workers | Features.Limits); // A worker cannot know that its host's clock jumped, and a rate is told by that clock.
        }

        var features = _features;
        _workers.ComeLate = features.HasFlag(Features.Latecomers);
        _people.ApprovalsMax = features.HasFlag(Features.Sharing) ? 6 : _people.ApprovalsMax;
        _world.Limits.AreTimely = _weather is { SlowOneIn: 0, StallOneIn: 0, StoreFullOneIn: 0, AnswerLostOneIn: 0 };
        _world.Limits.Drawn = features.HasFlag(Features.Limits) ? FeatureDrawer.Limits(_dice.Split(8)) : [];
        Tally.Count("features", features.ToString());
        var workflows = new List<DrawnWorkflow>();
        for (var number = 1; number <= (dice.OneIn(4) ? 2 : 1); number++)
        {
            var workflow = FeatureDrawer.Add(_dice.Split(5 + number), features, _world.Limits.Drawn, WorkflowDrawer.Draw(dice, number, out var shape));
            Tally.Count("shape", shape);
            Tally.Count("steps", $"{workflow.Steps.Count}");
            Tally.Count("policy", $"{workflow.PolicyIndex}");
            foreach (var step in workflow.Steps)
            {
                Tally.Count("step", step.Type + (step.Performer.Length > 0 ? $" {step.Performer}" : ""));
                if (step.Verifiers is { } verifiers)
                {
                    Tally.Count("verifiers", $"{verifiers.Quorum} of 3 on {(step.VerifiesArguments ? "arguments" : "output")}");
                }

                if (step.Sharing is { } sharing)
                {
                    Tally.Count("sharing", $"{sharing.Locks.Count} locks{(sharing.ShortLease ? " for a second" : "")}{(sharing.Counts ? ", counts" : sharing.Read is null ? "" : ", reads")}, {sharing.Notes.Count} notes");
                }

                if (step.Items is { } items)
                {
                    Tally.Count("items", $"{items.Count} items, {items.OnFailure}");
                }
            }

            foreach (var handoff in workflow.Edges.Select(edge => edge.Handoff).OfType<DrawnHandoff>())
            {
                Tally.Count("handoffs", handoff.By);
            }

            workflows.Add(workflow);
        }

        NeedsNobody = workflows.All(workflow => workflow.NeedsNobody);
        if (features.HasFlag(Features.Children))
        {
            workflows = [.. workflows.Select(WithChildren)];
        }

        _store.Put(new DocumentKey(Tenant, ScopeAliases.Kind, DrawnSharing.Alias.Alias), System.Text.Encoding.UTF8.GetBytes(DrawnSharing.Alias.Scope));
        foreach (var limit in _world.Limits.Drawn)
        {
            Tally.Count("limits", $"{(limit.Concurrent is { } most ? $"{most} at a time" : "")}{(limit.PerSecond is { } rate ? $" {rate}/s" : "")}{(limit.Breaker ? " breaker" : "")}");
        }

        NeedsNobody &= _child is null or { NeedsNobody: true }; // As drawn: what needed somebody and became a child has handed over accordingly.
        _weather.ProbesAreClear = NeedsNobody;
        Tally.Count("seed", NeedsNobody ? "needs nobody" : "may need somebody");
        Tally.Count("engines", _weather.TwoEngines ? "two" : "one");
        var executions = dice.Of([1, 1, 2, 3]) + (features.HasFlag(Features.Sharing) ? _dice.Split(9).Of([1, 2, 3]) : 0);
        for (var number = 1; number <= executions; number++)
        {
            Admit(dice, dice.Of(workflows), number);
        }

        AdmitProgram();
        if (Bills)
        {
            _scheduler.Plan("top up", TopUpEveryMs, TopUp);
        }

        for (var number = 0; number < (_weather.TwoEngines ? 2 : 1); number++)
        {
            var host = new SimulatedHost($"host-{(char)('a' + number)}") { ClockOffsetMs = _weather.TwoEngines ? dice.Between(-1_000, 1_000) : 0 };
            _hosts.Add(host);
            StartProcess(host);
        }
    }

    private void Admit(Dice dice, DrawnWorkflow workflow, int number)
    {
        var source = JsonElement.Parse(workflow.Json);
        var canonical = CanonicalJson.Canonicalize(source);
        var digest = CanonicalJson.Digest(canonical);
        _store.Put(new DocumentKey(Tenant, PlanCache.Kind, digest), canonical);
        var id = $"exe_{Seed}x{number}";
        var stream = new StreamId(Tenant, id);
        _chronicles[id] = new Chronicle(stream, workflow, _world, value => Resolve(stream, value)) { Delivered = _delivered, Roots = _roots, Versions = VersionsOf(workflow) };
        var command = new StartExecution(0, id, Tenant, workflow.Name, 1, digest, JsonElement.Parse("""{"n": 2}"""), Seed, "ada", DrawnTools.HighValueUsd);
        var start = new Start(stream, command);
        _starts.Add(start);
        _scheduler.Plan("start", dice.Below(2_000), () => Begin(start));
    }

    /// <summary>A client starts an execution, and asks again as long as it is not on record.</summary>
    private void Begin(Start start)
    {
        if (_chronicles[start.Stream.Id].Status != "none")
        {
            return;
        }

        Submit(start.Stream, start.Command with { AtMs = ClockMs });
        _scheduler.Plan("start", 5_000, () => Begin(start));
    }

    private long ClockMs => SimulatedHost.EpochMs + _scheduler.NowMs;

    /// <summary>Sends a command to some living engine; what becomes of it is seen in the log.</summary>
    private void Submit(StreamId stream, ExecutionCommand command)
    {
        var living = _hosts.Select(host => host.Process).Where(process => process is { Alive: true }).ToArray();
        if (living.Length == 0)
        {
            return;
        }

        var process = living[_dice.Below(living.Length)]!;
        process.Do(async () =>
        {
            try
            {
                if (Bills && command is StartExecution start)
                {
                    await StartPaidAsync(process, new Start(stream, start));
                    return;
                }

                await process.Engine.SubmitAsync(stream, command with { AtMs = process.Advancer.NowMs });
            }
            catch (StorageUnavailableException)
            {
                // The person is told that the store is not there, and may ask again.
            }
        });
    }

    private void StartProcess(SimulatedHost host)
    {
        var process = new SimulatedProcess(_scheduler, host, ++host.Incarnations);
        var store = new ProcessStore(_store, _scheduler, process, _weather, Tally);
        var advancer = new Advancer(store, store, _plans, _keys, process.Time);
        var tools = new SimulatedTools(_scheduler, process, _world, _weather, Tally);
        var model = new SimulatedModel(_scheduler, process, _world, _weather, Tally);
        var notifier = new SimulatedNotifier(_scheduler, process, _weather, _delivered);
        var shared = new SharedRunner(advancer, new ResourceAdvancer(store, _keys, process.Time), new ScopeAliases(new SpecDocuments(_store)));
        var runner = new EffectRunner(advancer, shared, model, tools, notifier, process.Owner)
        {
            Limits = new EffectLimits(new ProcessLimiter(process.Time)),
            Credits = CreditsOf(process, advancer, store),
            OnDelta = (cell, effect, tag) => _world.EffectOfTag[tag] = $"{cell.Stream.Id}/{effect}",
        };
        host.Process = process;
        host.Tools = tools;
        process.Start(advancer, runner, store, ownsStore: !_weather.TwoEngines);
    }

    private void PlanTicks()
    {
        foreach (var host in _hosts)
        {
            host.Process?.PlanTick();
            if (host.Process is { Alive: true, Recovered: true } process && process.StalledUntilMs <= _scheduler.NowMs && _features.HasFlag(Features.Workers))
            {
                _workers.Look(process, Tenant);
            }
        }
    }

    private bool Finished => _chronicles.Values.All(chronicle => chronicle is { Ended: true, OwesUndo: false }) && _forks.Values.All(fork => fork.Ended || fork.Status == "none") && _store.Rows.All(row => !row.Active) && !_store.HasUnsynced && !_chronicles.Values.Any(chronicle => chronicle.OpenReviews.Any(review => review.Requested.Kind == "in_doubt")) && _starts.All(start => _chronicles[start.Stream.Id].Status != "none") && _book.Open == 0;

    private bool Broke
    {
        get
        {
            Violations.AddRange(_chronicles.Values.SelectMany(chronicle => chronicle.Broken).Concat(_world.Violations).Concat(_roots.Broken).Concat(_book.Broken).Concat(_world.Limits.Broken).Concat(_forks.Values.SelectMany(fork => fork.Broken)));
            foreach (var process in _hosts.Select(host => host.Process).OfType<SimulatedProcess>())
            {
                if (process.Escaped is { } error)
                {
                    Violations.Add($"{process.Owner}: {error}");
                }

                Violations.AddRange(process.Engine?.Quarantined.Select(pair => $"{process.Owner}: {pair.Key} was set aside: {pair.Value}") ?? []);
            }

            return Violations.Count > 0;
        }
    }

    /// <summary>True where somebody waits for what another has until a time on record.</summary>
    private bool HasLeases => (_features & (Features.Sharing | Features.Traced)) != 0;

    private void Heal()
    {
        _weather.Heal();
        foreach (var host in _hosts)
        {
            if (!HasLeases)
            {
                // Elsewhere a clock that is ahead stays so: who waits for a lock looks again every two seconds, and hours of that tell nothing.
                _world.ClockLossMs += Math.Max(0, host.ClockOffsetMs);
                host.ClockOffsetMs = Math.Clamp(host.ClockOffsetMs, -1_000, 1_000);
            }
            else
            {
                // One that is behind what is on record stands still for the records until it has caught up: hours of that tell nothing either.
                var behindMs = _latestMs - ClockMs - host.ClockOffsetMs;
                host.ClockOffsetMs += behindMs > ClocksDifferMostMs ? behindMs : 0; // A set clock would be two calls in one second to who counts them.
            }

            if (host.Process is { } process)
            {
                process.StalledUntilMs = 0;
            }
        }

        Help();
        // Clocks behind what is on record stand still for it; who waits meanwhile (a fork for its source) looks again every few seconds.
        var behindSeconds = _hosts.Max(host => Math.Max(0, _latestMs - ClockMs - host.ClockOffsetMs)) / 1_000;
        var end = _scheduler.Taken + (HasLeases ? HealingStepsMax * 5 : HealingStepsMax) + behindSeconds;
        while (!Finished && !Broke)
        {
            end += _hosts.Exists(host => host.Process is { Alive: true }) ? 0 : 1; // While every host is down, workers and clients knock in vain.
            if (_scheduler.Taken > end || !_scheduler.Take())
            {
                Violations.Add($"it does not finish: {string.Join("; ", _chronicles.Values.Select(chronicle => $"{chronicle.Stream.Id} {chronicle.Status}, active {_store.Row(IndexKinds.Execution, chronicle.Stream.Id)?.Active}, reviews {string.Join(",", chronicle.OpenReviews.Select(review => review.Requested.Kind))}"))}");
                return;
            }
        }
    }

    /// <summary>In the second phase somebody looks after each execution every minute.</summary>
    private void Help()
    {
        HelpForks();
        foreach (var chronicle in _chronicles.Values)
        {
            if (_people.Help(chronicle) is { } command)
            {
                Submit(chronicle.Stream, command);
            }
        }

        _scheduler.Plan("people look", _features == Features.None ? 60_000 : 10_000, Help);
    }

    private void Interfere()
    {
        if (!NeedsNobody)
        {
            ForkSome();
            MoveSome();
        }

        if (!NeedsNobody && _weather.Happens(_weather.PeopleOneIn))
        {
            var chronicle = _chronicles.Values.ElementAt(_dice.Below(_chronicles.Count));
            if (chronicle.Status != "none" && _people.Interfere(chronicle) is { } command)
            {
                if (_features.HasFlag(Features.Latecomers) && command is DecideReview decision && PeopleCrowd.OnAnother(chronicle, decision) is { } mistaken)
                {
                    Tally.Met("person decides on what another review showed", chronicle.Status);
                    Submit(chronicle.Stream, mistaken);
                }

                Submit(chronicle.Stream, command);
            }
        }
    }

    /// <summary>A record became durable: everybody who reads the log sees it now.</summary>
    private void Observe(StreamId stream, LogRecord record)
    {
        Tally.Met("recorded", record.EventTypes);
        _latestMs = Math.Max(_latestMs, record.AtUnixMs);
        if (stream.Id == Omium.Runtime.Billing.LedgerAdvancer.StreamName)
        {
            var moved = Omium.Kernel.Ledger.LedgerJson.Deserialize(RecordCodec.Open(stream, record, DataKey(stream)));
            _scheduler.Trace?.Add($"{_scheduler.NowMs,9}   ledger {record.Seq} {JsonSerializer.Serialize(moved, Omium.Kernel.Ledger.LedgerJson.Default.LedgerBody)}");
            _book.Read(moved);
            return;
        }

        if (ObserveKin(stream, record))
        {
            return;
        }

        if (!_chronicles.TryGetValue(stream.Id, out var chronicle))
        {
            var shared = ResourceJson.Deserialize(RecordCodec.Open(stream, record, DataKey(stream)));
            _scheduler.Trace?.Add($"{_scheduler.NowMs,9}   {stream.Id[..12]} {record.Seq} {JsonSerializer.Serialize(shared, ResourceJson.Default.ResourceBody)}");
            _roots.Read(stream, shared);
            return;
        }

        var body = RecordCodec.Decode(stream, record, DataKey(stream));
        Meter(stream, body, chronicle);
        _scheduler.Trace?.Add($"{_scheduler.NowMs,9}   {stream.Id} {record.Seq} {Told(body)}");
        chronicle.Read(body);
    }

    /// <summary>A record as it stands in a trace. The hash of a fork's source is over bytes sealed with random keys: it alone differs from run to run.</summary>
    private static string Told(RecordBody body) =>
        System.Text.RegularExpressions.Regex.Replace(JsonSerializer.Serialize(body, KernelJson.Default.RecordBody), "\"source_hash\":\"[0-9a-f]+\"", "\"source_hash\":\"...\"", System.Text.RegularExpressions.RegexOptions.NonBacktracking);

    private byte[] DataKey(StreamId stream) =>
        _dataKeys.TryGetValue(stream, out var key) ? key : _dataKeys[stream] = KeyOf(stream);

    private JsonElement Resolve(StreamId stream, JsonElement value)
    {
        if (!PayloadReference.TryRead(value, out var digest, out _))
        {
            return value;
        }

        var reader = new SpecDocuments(_store);
        var whole = new PayloadReader(stream, name => PayloadVault.OpenAsync(reader, stream, DataKey(stream), name, CancellationToken.None), new PayloadCache(PayloadVault.CacheBytesMax));
        var bytes = whole.ReadAsync(digest).AsTask().GetAwaiter().GetResult();
        if (bytes is null)
        {
            return value;
        }

        return JsonElement.Parse(bytes);
    }
}

/// <summary>An execution that a client wants.</summary>
internal sealed record Start(StreamId Stream, StartExecution Command);
