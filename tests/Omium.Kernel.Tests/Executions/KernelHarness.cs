using System.Text.Json;
using System.Text;
using Omium.Kernel.Executions;
using Omium.Kernel.Json;
using Omium.Kernel.Specs;
using Xunit;

namespace Omium.Kernel.Tests.Executions;

/// <summary>
/// Drives the kernel the way an engine does, in memory: every command is decided, recorded as bytes, and the state is folded from those bytes
/// again, so that what is tested is what would be stored.
/// </summary>
internal sealed partial class KernelHarness
{
    private readonly List<byte[]> _log = [];
    private readonly Dictionary<string, JsonElement> _payloads = [];

    public KernelHarness(string specJson)
    {
        var reading = SpecReader.Read(Json(specJson));
        Assert.True(reading.Spec is not null && !reading.Findings.Any(f => f.Severity == SpecSeverity.Error), string.Join("\n", reading.Findings));
        FirstPlan = Plan = WorkflowPlan.TryCompile(reading.Spec!, out var problem)!;
        Assert.Null(problem);
    }

    private KernelHarness(WorkflowPlan plan) => FirstPlan = Plan = plan;

    private KernelHarness(KernelHarness source, ExecutionState atPoint)
    {
        (Plan, FirstPlan) = (source.Plan, source.Plan);
        (Base, State, NowMs, Checks) = (atPoint, atPoint, source.NowMs, source.Checks);
        foreach (var (digest, payload) in source._payloads)
        {
            _payloads[digest] = payload;
        }

        foreach (var (key, value) in source.Shared)
        {
            Shared[key] = value;
        }
    }

    public WorkflowPlan Plan { get; private set; }

    /// <summary>The plan that the log began with: another one than now where the run was moved.</summary>
    public WorkflowPlan FirstPlan { get; }

    /// <summary>What the log begins from: the empty state, or in a fork that of its source.</summary>
    public ExecutionState Base { get; } = ExecutionState.Empty;

    public ExecutionState State { get; private set; } = ExecutionState.Empty;

    public long NowMs { get; set; } = 1_700_000_000_000;

    public IReadOnlyList<byte[]> Log => _log;

    public IReadOnlyList<PendingEffect> Pending => ExecutionKernel.Pending(State, Plan);

    public IEnumerable<ExecutionEvent> Events => _log.SelectMany(bytes => KernelJson.Deserialize(bytes).Events);

    /// <summary>Effects that were really carried out: effect id, tool or step, in order.</summary>
    public List<string> Carried { get; } = [];

    /// <summary>A traced execution: code that runs elsewhere does its steps.</summary>
    public static KernelHarness Traced(string? recovery = null)
    {
        var plan = WorkflowPlan.TryTraced(CanonicalJson.ParseTrusted(CanonicalJson.Canonicalize(WorkflowPlan.TracedDocument("checkout", recovery is null ? null : Json(recovery)))), out var findings);
        Assert.True(plan is not null, string.Join("\n", findings));
        return new KernelHarness(plan) { Checks = true };
    }

    public static JsonElement Json(string text)
    {
        Assert.True(CanonicalJson.TryParse(Encoding.UTF8.GetBytes(text), out var value, out var problem), problem?.Message);
        return value;
    }

    /// <summary>Moves the run to another plan, by which it is decided from then on.</summary>
    public DecisionOutcome Migrate(MigrateExecution command, WorkflowPlan next)
    {
        var outcome = Send(command, ValuesFor(Plan, State, command, _payloads, next));
        Plan = outcome.Accepted ? next : Plan;
        return outcome;
    }

    public DecisionOutcome Send(ExecutionCommand command) => Send(command, ValuesFor(Plan, State, command, _payloads));

    private DecisionOutcome Send(ExecutionCommand command, DecisionValues values)
    {
        var outcome = ExecutionKernel.Decide(State, command, values, digest => _payloads.TryGetValue(digest, out var payload) ? payload : null);
        if (outcome.Events.Count > 0)
        {
            var body = new RecordBody(command, outcome.Events);
            var bytes = KernelJson.Serialize(body);
            _log.Add(bytes);
            foreach (var (digest, payload) in outcome.Payloads)
            {
                _payloads[digest] = CanonicalJson.ParseTrusted(payload);
            }

            State = ExecutionKernel.Fold(State, KernelJson.Deserialize(bytes));
            if (Checks)
            {
                Assert.Equal(StateDump.Of(State), StateDump.Of(outcome.State));
            }
        }

        return outcome;
    }

    /// <summary>True: what each decision holds in memory is compared with what its bytes fold to.</summary>
    public bool Checks { get; init; }

    public IReadOnlyDictionary<string, JsonElement> Payloads => _payloads;

    /// <summary>The records as text, for messages.</summary>
    public string History => string.Join("\n", _log.Select(Encoding.UTF8.GetString));

    /// <summary>What a decision may read: the payloads it needs, as a host gives them.</summary>
    public static DecisionValues ValuesFor(WorkflowPlan plan, ExecutionState state, ExecutionCommand command, IReadOnlyDictionary<string, JsonElement> payloads, WorkflowPlan? target = null)
    {
        var values = new DecisionValues(plan) { Target = target };
        foreach (var digest in ExecutionKernel.Needs(state, command, plan).Where(payloads.ContainsKey))
        {
            values.TryGive(digest, payloads[digest]);
        }

        return values;
    }

    public DecisionOutcome Start(string input = "{}") =>
        Send(new StartExecution(NowMs, "exe_test", "ten_a", Plan.Spec.Name, 1, "digest", Json(input), 7, "key_a", 10_000));

    /// <summary>The state after the first so many records.</summary>
    public ExecutionState At(int count) => _log.Take(count).Aggregate(Base, (state, bytes) => ExecutionKernel.Fold(state, KernelJson.Deserialize(bytes)));

    /// <summary>A fork after the first so many records, decided and recorded in a log of its own; with what the decision came to.</summary>
    public (KernelHarness Fork, DecisionOutcome Outcome) Fork(int at, ForkEdits? edits = null, string mode = ForkModes.Sandbox, string id = "exe_fork")
    {
        var fork = new KernelHarness(this, At(at));
        var outcome = fork.Send(new ForkExecution(NowMs, id, fork.Base.ExecutionId, at, "hash", mode, edits, 9, "ada", mode == ForkModes.Live ? "seen" : null));
        return (fork, outcome);
    }

    public DecisionOutcome Answer(string effect, string content) =>
        Send(new SettleEffect(NowMs, effect, new EffectOutcome { Answer = new ModelAnswer { Content = content, InputTokens = 10, OutputTokens = 5 } }));

    public DecisionOutcome Result(string effect, string json) => Send(new SettleEffect(NowMs, effect, new EffectOutcome { Result = Json(json) }));

    /// <summary>A result that a runner put aside, because it is large, and refers to.</summary>
    public DecisionOutcome LargeResult(string effect, string json)
    {
        var canonical = CanonicalJson.Canonicalize(Json(json));
        var digest = CanonicalJson.Digest(canonical);
        _payloads[digest] = CanonicalJson.ParseTrusted(canonical);
        return Send(new SettleEffect(NowMs, effect, new EffectOutcome { Result = PayloadReference.Of(digest, canonical.Length) }));
    }

    public DecisionOutcome Failure(string effect, EffectFailure failure) => Send(new SettleEffect(NowMs, effect, new EffectOutcome { Failure = failure }));

    public DecisionOutcome Decide(string decision, AgentEdit? edits = null, string? output = null, string by = "ada", string? digest = null, bool acceptResidue = false)
    {
        var review = State.OpenReviews.Count > 0 ? State.OpenReviews[0] : State.Reviews.Keys.Order().Last();
        var request = State.Reviews[review].Request;
        return Send(new DecideReview(NowMs, review, decision, digest ?? request.Digest, by, edits, output is null ? null : Json(output), null, null, acceptResidue));
    }

    /// <summary>Runs everything that is due with this answerer until nothing is; time jumps to the next due time when only timers remain.</summary>
    public void Run(Func<string, string, EffectOutcome> carryOut, int stepsMax = 10_000)
    {
        for (var steps = 0; steps < stepsMax; steps++)
        {
            var pending = Pending.Where(effect => effect.Kind != PendingKind.Deadline).ToArray();
            if (pending.Length == 0)
            {
                return;
            }

            var next = pending.OrderBy(effect => effect.DueMs).First();
            NowMs = Math.Max(NowMs, next.DueMs);
            CarryOut(next, carryOut);
        }

        Assert.Fail($"still busy after {stepsMax} steps: {string.Join(", ", Pending)}");
    }

    public void CarryOut(PendingEffect effect, Func<string, string, EffectOutcome> carryOut)
    {
        if (TryShare(effect))
        {
            return;
        }

        switch (effect.Kind)
        {
            case PendingKind.Task:
                Send(new BeginCall(NowMs, effect.Id, "worker-1", 5_000));
                _ = EffectId.TryParse(effect.Id, out var task);
                var leased = State.Visits[task.Key].Calls.Find(candidate => candidate.Id == task)!;
                Carried.Add(leased.Tool);
                Send(new SettleTask(NowMs, effect.Id, leased.Runs, carryOut(leased.Tool, effect.Id)));
                return;
            case PendingKind.Timer or PendingKind.Deadline:
                Send(new WakeTimers(NowMs));
                return;
            case PendingKind.Notify:
                Send(new RecordNotification(NowMs, int.Parse(effect.Id.Split('~')[1])));
                return;
            case PendingKind.Compensate when EffectId.TryParse(effect.Id, out var undo)
                && ToolRendering.UndoNeedsIntent(Plan, State.Visits[undo.Key].Calls.Find(candidate => candidate.Id == undo.WithoutSub)!)
                && Send(new BeginCall(NowMs, effect.Id, "runner-1", 5_000)) is { Accepted: false } or { Events.Count: 0 }:
                return;
            case PendingKind.Call when Send(new BeginCall(NowMs, effect.Id, "runner-1", 5_000)) is { Accepted: false } or { Events.Count: 0 }:
                return;
        }

        Assert.True(EffectId.TryParse(effect.Id, out var id));
        var call = id.Part == 'c' ? State.Visits[id.Key].Calls.Find(candidate => candidate.Id == id.WithoutSub) : null;
        var name = effect.Kind switch
        {
            PendingKind.Model when id.Part == 'j' => $"ask {State.Visits[id.Key].Verification!.Verifiers[id.Number - 1].Agent}",
            PendingKind.Measure => $"measure {State.Handoffs[new HandoffKey(id.Number - 1, id.Key)].Claims[id.SubNumber - 1].Claim.Tool}",
            PendingKind.Model => id.Step,
            PendingKind.Compensate => $"undo {call!.Tool}",
            PendingKind.Verify => id.Sub == 'w' ? $"verify undo {call!.Tool}" : $"verify {call!.Tool}",
            _ => call!.Tool,
        };
        Carried.Add(name);
        Send(new SettleEffect(NowMs, effect.Id, carryOut(name, effect.Id)));
    }

    public static EffectOutcome Ok(string json) => new() { Result = Json(json) };

    public static EffectOutcome Says(string content) => new() { Answer = new ModelAnswer { Content = content } };

    public static EffectOutcome Fails(string @class, string code, bool mayHaveHappened = false, bool permanent = false) =>
        new() { Failure = new EffectFailure(@class, code, $"{code} happened", mayHaveHappened, null, permanent) };
}
