using System.Text.Json;
using Omium.Kernel.Expressions;
using Omium.Kernel.Json;
using Omium.Kernel.Specs;

namespace Omium.Kernel.Executions;

/// <summary>The roots that expressions see, resolved on demand from recorded state.</summary>
internal sealed record DecisionScope(ExecutionState State, WorkflowPlan Plan, DecisionValues Values, long NowMs) : IBindings
{
    private List<PayloadWish>? _opaque;

    /// <summary>Root <c>output</c>: the step's output, in post guards and edge conditions.</summary>
    public (JsonElement Value, JsonElement? Schema)? Output { get; init; }

    /// <summary>Root <c>input</c> where it is a call's arguments; else it is the workflow's input.</summary>
    public (JsonElement Value, JsonElement? Schema)? Arguments { get; init; }

    /// <summary>The step whose input or guards are evaluated: root <c>handoff</c> is the message agreed on with it.</summary>
    public string? Receiver { get; init; }

    /// <summary>Root <c>visit</c>, in guards of a step: the visit whose step is checked.</summary>
    public VisitState? Visit { get; init; }

    /// <summary>Root <c>call</c>, in guards on an agent's calls: what is asked for.</summary>
    public JsonElement? Call { get; init; }

    /// <summary>Roots <c>item</c> and <c>item_index</c>, in what a for_each step says of each item.</summary>
    public ItemRoot? Item { get; init; }

    /// <summary>Root <c>failure</c>, in rules.</summary>
    public JsonElement? Failure { get; init; }

    /// <summary>Root <c>state</c>: the shared values that the step has read.</summary>
    public IReadOnlyList<ReadValue>? SharedReads { get; init; }

    /// <summary>True inside a tool's url, headers and body: <c>secrets.name</c> gives the secret's marker.</summary>
    public bool Secrets { get; init; }

    /// <inheritdoc/>
    public bool TryResolve(string name, out CelValue value)
    {
        CelValue? found = name switch
        {
            "input" => Arguments is { } arguments ? Value(arguments.Value, arguments.Schema) : Value(State.Input, Plan.Spec.InputSchema),
            "output" => Output is { } output ? Value(output.Value, output.Schema) : null,
            "item" => Item is { } item ? CelValue.FromJson(Values.Resolve(item.Value), item.Shape) : null,
            "item_index" => Item is { } at ? CelInt.Of(at.Index) : null,
            "steps" => new LazyCelMap(Step, () => State.Latest.Keys.Order(StringComparer.Ordinal)),
            "execution" => CelValue.FromJson(JsonMake.Object(
                ("id", JsonMake.Text(State.ExecutionId)),
                ("workflow", JsonMake.Text(State.Workflow)),
                ("version", JsonMake.Integer(State.WorkflowVersion)))),
            "now" => CelTimestamp.Of(DateTimeOffset.FromUnixTimeMilliseconds(NowMs)),
            "visit" => Visit is { } visit ? VisitRoot.Of(visit, value => Value(value, null)) : null,
            "call" => Call is { } call ? CelValue.FromJson(call) : null,
            "handoff" => Receiver is { } receiver ? Agreed(receiver) : null,
            "failure" => Failure is { } failure ? CelValue.FromJson(failure) : null,
            "state" when SharedReads is { } read => new LazyCelMap(
                member => read.FirstOrDefault(value => value.Name == member) is { } one ? (one.Value is { } held ? Value(held, null) : CelNull.Instance) : null,
                () => read.Select(value => value.Name)),
            "secrets" => Secrets ? new LazyCelMap(secret => new CelString(SecretMarker.Of(secret)), () => []) : null,
            _ => null,
        };
        value = found ?? CelNull.Instance;
        return found is not null;
    }

    /// <summary>The message agreed on over the handoff into a step; null while none is.</summary>
    private CelValue Agreed(string receiver)
    {
        var edge = Plan.HandoffInto(receiver);
        var sender = edge is null ? null : State.StandingVisit(edge.Spec.From);
        return sender is not null && State.Handoffs.GetValueOrDefault(new HandoffKey(edge!.Index, sender.Key)) is { Status: HandoffStatus.Agreed } handoff
            ? Value(handoff.Proposal.Message, edge.Handoff!.Spec.Schema ?? Plan.Step(sender.Key.Step)?.Spec.OutputSchema, sender.Projection,
                member => Plan.Step(sender.Key.Step)!.Projections.Any(path => path[0] == member))
            : CelNull.Instance;
    }

    private LazyCelMap? Step(string id)
    {
        var visit = State.StandingVisit(id);
        return visit is null
            ? null
            : new LazyCelMap(member => member == "output" ? OutputOf(id, visit) : null, () => ["output"]);
    }

    private CelValue? OutputOf(string id, VisitState visit)
    {
        if (visit.Output is not { } output)
        {
            return visit.Status == VisitStatus.Skipped ? CelNull.Instance : null;
        }

        var schema = Plan.Step(id)?.ReadSchema;
        return Value(output, schema, visit.Projection, member => Plan.Step(id)!.Projections.Any(path => path[0] == member));
    }

    private CelValue Value(JsonElement value, JsonElement? schema, JsonElement? projection = null, Func<string, bool>? isKept = null)
    {
        var resolved = Values.Peek(value);
        if (!PayloadReference.TryRead(resolved, out var digest, out var size))
        {
            return CelValue.FromJson(resolved, schema);
        }

        (_opaque ??= []).Add(new PayloadWish(digest, size));
        return new OpaqueMap(resolved, projection is { } kept ? CelValue.FromJson(kept, schema) as CelMap : null, isKept ?? (_ => false));
    }

    /// <summary>What could not be read may be all that was missing: the decision is made again with it, as far as there is room.</summary>
    public void Failed()
    {
        foreach (var wish in _opaque ?? [])
        {
            Values.Wish(wish);
        }
    }
}

/// <summary>One item of a list, as expressions see it.</summary>
internal sealed record ItemRoot(JsonElement Value, JsonShape Shape, int Index);

/// <summary>What a decision may read besides the state: the compiled plan of the pinned spec, and the payloads that <c>Needs</c> named.</summary>
public sealed class DecisionValues(WorkflowPlan plan)
{
    /// <summary>The plan.</summary>
    public WorkflowPlan Plan { get; } = plan;

    /// <summary>With a migration: the plan to move to; null when there is no such version.</summary>
    public WorkflowPlan? Target { get; init; }

    private Dictionary<string, JsonElement>? _payloads; // Most decisions read none.

    /// <summary>Payloads by digest.</summary>
    public Dictionary<string, JsonElement> Payloads
    {
        get => _payloads ??= new(StringComparer.Ordinal);
        init => _payloads = value;
    }

    private List<PayloadWish>? _wishes;
    private long _room = PayloadReference.DecisionBytesMax, _neededRoom = PayloadReference.DecisionBytesMax;

    /// <summary>Payloads that expressions turned out to read and that were not here: those for which there is room.</summary>
    internal IReadOnlyList<PayloadWish> Wishes => _wishes ?? (IReadOnlyList<PayloadWish>)[];

    /// <summary>Gives a payload that <see cref="ExecutionKernel.Needs"/> named. False when there is no room for it: at most 1 MiB in all, as the bytes are and not as a reference says.</summary>
    public bool TryGive(string digest, JsonElement payload) => TryGive(digest, payload, ref _neededRoom);

    /// <summary>Gives a payload that a decision wished for. It takes from the room for wishes, which is 1 MiB; false when it does not fit, and then it stays opaque.</summary>
    public bool TryGive(PayloadWish wish, JsonElement payload) => TryGive(wish.Digest, payload, ref _room);

    private bool TryGive(string digest, JsonElement payload, ref long room)
    {
        var size = PayloadReference.BytesOf(payload).Length;
        if (size > room)
        {
            return false;
        }

        room -= size;
        Payloads[digest] = payload;
        return true;
    }

    internal void Wish(PayloadWish wish)
    {
        var isNew = _payloads?.ContainsKey(wish.Digest) != true && !Wishes.Contains(wish);
        if (isNew && Wishes.Sum(other => other.Bytes) + wish.Bytes <= _room)
        {
            (_wishes ??= []).Add(wish);
        }
    }

    /// <summary>The same, kept apart: a decision adds what it makes and must leave its caller's values as they were.</summary>
    internal DecisionValues Copy() =>
        _payloads is null ? new(Plan) { Target = Target, _room = _room, _neededRoom = _neededRoom } : new(Plan) { Target = Target, Payloads = new(_payloads, StringComparer.Ordinal), _room = _room, _neededRoom = _neededRoom };

    /// <summary>The value behind a reference. One that is not here is wished for; one for which there is no room stays a reference.</summary>
    public JsonElement Resolve(JsonElement value)
    {
        var resolved = Peek(value);
        if (PayloadReference.TryRead(resolved, out var digest, out var size))
        {
            Wish(new PayloadWish(digest, size));
        }

        return resolved;
    }

    /// <summary>The value behind a reference if it is here; else the value itself.</summary>
    internal JsonElement Peek(JsonElement value) =>
        _payloads is not null && PayloadReference.TryRead(value, out var digest, out _) && _payloads.TryGetValue(digest, out var payload) ? payload : value;
}

/// <summary>A payload that a decision needs to be made again with.</summary>
/// <param name="Digest">Its name.</param>
/// <param name="Bytes">Its length.</param>
public readonly record struct PayloadWish(string Digest, long Bytes);
