using Omium.Kernel.Executions;
using Omium.Kernel.Specs;
using Omium.Runtime.Ports;

namespace Omium.Simulation.Laws;

/// <summary>
/// A fork as its own records tell it. What lies before them is its source's and not told again; the laws are about what a fork is: it leaves what it
/// inherited alone, a sandbox reaches nothing, a live one calls nothing without an intent of its own.
/// </summary>
internal sealed class ForkStory(StreamId stream, string source, long at, string mode)
{
    private readonly Dictionary<string, int> _intents = new(StringComparer.Ordinal);
    private readonly Dictionary<string, CallRequested> _calls = new(StringComparer.Ordinal);
    private readonly Dictionary<string, ReviewRequested> _open = new(StringComparer.Ordinal);

    private bool _wasPaused;

    public StreamId Stream { get; } = stream;

    public string Source { get; } = source;

    public long At { get; } = at;

    public bool IsSandbox { get; } = mode == ForkModes.Sandbox;

    /// <summary>none, running, paused, rolling_back, succeeded, failed or cancelled.</summary>
    public string Status { get; private set; } = "none";

    public bool Ended => Status is "succeeded" or "failed" or "cancelled";

    /// <summary>True when somebody has thought about taking it back to the start.</summary>
    public bool WasTakenBack { get; set; }

    public IReadOnlyCollection<ReviewRequested> OpenReviews => _open.Values;

    public List<string> Broken { get; } = [];

    /// <summary>Children that it asked for itself, by its effects.</summary>
    public Dictionary<string, string> Children { get; } = new(StringComparer.Ordinal);

    public long Records { get; private set; }

    /// <summary>What a person is asked about a call under way.</summary>
    public CallRequested? CallOf(string effect) => _calls.GetValueOrDefault(effect);

    public void Read(RecordBody record)
    {
        Records++;
        foreach (var happened in record.Events)
        {
            Law(Records > 1 || Status != "none" || happened is ExecutionForked, "a fork does not begin with execution.forked");
            Read(happened);
            foreach (var effect in EffectsOf(happened))
            {
                Law(_calls.ContainsKey(effect) || Children.ContainsKey(effect), $"{happened.GetType().Name} concerns {effect}, which is the source's");
                Law(!IsSandbox || _calls.GetValueOrDefault(effect) is { Kind: EffectKind.None }, $"{happened.GetType().Name} of {effect} in a sandbox");
            }
        }
    }

    /// <summary>As a request is sent; a text says what is wrong.</summary>
    public string? Sending(string effect, int sent)
    {
        var name = effect[(effect.IndexOf('/', StringComparison.Ordinal) + 1)..];
        var local = name[^2..] is "~u" or "~v" or "~w" ? name[..^2] : name; // What undoes or looks up a call is about that call.
        if (local.Contains("~h", StringComparison.Ordinal))
        {
            return null; // A handoff that is measured: looking changes nothing, whoever sent the message.
        }

        return !_calls.TryGetValue(local, out var call) ? $"{effect} was sent and is not the fork's"
            : call.Kind == EffectKind.None ? null
            : IsSandbox ? $"{effect} was sent from a sandbox"
            : local == name && sent > _intents.GetValueOrDefault(local) ? $"{effect} was sent {sent} times with {_intents.GetValueOrDefault(local)} intents on record" : null;
    }

    private void Read(ExecutionEvent happened)
    {
        switch (happened)
        {
            case ExecutionForked e:
                Law(Status == "none" && e.From == Source && e.At == At && e.ExecutionId == Stream.Id, $"it begins as a fork of {e.From} at {e.At}");
                Status = "running";
                break;
            case CallRequested e:
                Law(_calls.TryAdd(e.Effect, e), $"{e.Effect} was requested twice");
                Law(e.Kind == EffectKind.None || e.Key?.Contains(Source, StringComparison.Ordinal) != true, $"{e.Effect} has the key of {Source}");
                break;
            case ChildRequested e:
                Law(Children.TryAdd(e.Effect, e.Child), $"{e.Effect} was requested twice");
                break;
            case IntentRecorded e:
                _intents[e.Effect] = e.Run;
                break;
            case ReviewRequested e:
                _open[e.Review] = e;
                break;
            case ReviewDecided e:
                _open.Remove(e.Review);
                break;
            case ReviewExpired e:
                _open.Remove(e.Review);
                break;
            case ExecutionPaused:
                Status = "paused";
                break;
            case ExecutionResumed:
                Status = "running";
                break;
            case RollbackCompleted when Status == "rolling_back":
                Status = _wasPaused ? "paused" : "running";
                break;
            case RollbackPlanned { Scope: not "item" }:
                (_wasPaused, Status) = (Status == "paused", "rolling_back");
                break;
            case ExecutionSucceeded:
                Status = "succeeded";
                break;
            case ExecutionFailed:
                Status = "failed";
                break;
            case ExecutionCancelled:
                Status = "cancelled";
                break;
        }
    }

    /// <summary>Effects in the world that an event is about.</summary>
    private static string[] EffectsOf(ExecutionEvent happened) => happened switch
    {
        IntentRecorded e => [e.Effect],
        IntentSettled e => [e.Effect],
        IntentInDoubt e => [e.Effect],
        CompensationSettled e => [e.Effect],
        ResidueRecorded { Reason: not "state_conflict" } e => [e.Effect],
        RollbackPlanned e => [.. e.Compensations],
        _ => [],
    };

    private void Law(bool holds, string broken)
    {
        if (!holds)
        {
            Broken.Add($"{Stream.Id} record {At + Records}: {broken}");
        }
    }
}
