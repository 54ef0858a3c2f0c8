using System.Text.Json;
using Omium.Kernel.Executions;

namespace Omium.Simulation.Laws;

/// <summary>Where a visit stands, told from the records alone.</summary>
internal enum Standing
{
    Open,
    Failing,
    Committed,
    Failed,
    Skipped,
    TakenBack,
}

/// <summary>What the records say of a visit.</summary>
internal sealed class VisitFacts(string step, int visit, StepScheduled? scheduled, int order)
{
    public string Step { get; } = step;

    public int Visit { get; } = visit;

    public int Order { get; } = order;

    public VisitKey Key => new(Step, Visit);

    public Standing Standing { get; set; }

    public int Attempt { get; set; } = 1;

    public int Turns { get; set; }

    /// <summary>Time at which the present attempt's preconditions were looked at.</summary>
    public long BegunMs { get; set; }

    public IReadOnlyList<VisitKey> After { get; set; } = scheduled?.After ?? [];

    public IReadOnlyList<VisitKey> Reads { get; set; } = scheduled?.Reads ?? [];

    /// <summary>What it shares with other executions.</summary>
    public SharedFacts Shared { get; } = new();

    /// <summary>Of an item's visit: the visit of its step.</summary>
    public VisitKey? Parent { get; } = scheduled is { After: [var parent] } && Workflows.ItemNames.IsItem(step) ? parent : null;

    /// <summary>The attempt of its step in which it was begun, or failed for good.</summary>
    public int ParentAttempt { get; set; }

    /// <summary>Output of its commit, payloads resolved.</summary>
    public JsonElement? Output { get; set; }

    public int CommitOrder { get; set; }

    public string? Checkpoint { get; set; }

    /// <summary>True when it was skipped by a decision, not for want of an edge.</summary>
    public bool SkippedByDecision { get; set; }

    /// <summary>The visit whose loop runs it anew.</summary>
    public VisitKey? DetachedBy { get; set; }

    public List<CallFacts> Calls { get; } = [];

    public bool Settled => Standing is Standing.Committed or Standing.Failed or Standing.Skipped;
}

/// <summary>Whether a call happened, as far as the records know.</summary>
internal enum Happened
{
    NotAsked,
    UnderWay,
    InDoubt,
    Yes,
    Perhaps,

    /// <summary>A child that failed: what it did before stands until it is taken back.</summary>
    Failed,
    No,
}

/// <summary>What the records say of a call.</summary>
internal sealed class CallFacts(CallRequested requested, EffectId id, int occurrence)
{
    public CallRequested Requested { get; } = requested;

    public EffectId Id { get; } = id;

    /// <summary>The n-th call of its attempt with this tool and these arguments.</summary>
    public int Occurrence { get; } = occurrence;

    public bool HasEffect => Requested.Kind != Omium.Kernel.Specs.EffectKind.None;

    public bool Approved { get; set; }

    /// <summary>True when it is a child workflow: its key is the child's id.</summary>
    public bool IsChild { get; init; }

    /// <summary>Of a child: what its parent was told that it gave.</summary>
    public JsonElement? Result { get; set; }

    public Happened Happened { get; set; }

    public string? Next { get; set; }

    public int Runs { get; set; }

    /// <summary>The last question of a verify tool's that an answer counted for.</summary>
    public int AnsweredProbe { get; set; }

    public bool Refused { get; set; }

    public bool Undone { get; set; }

    /// <summary>Answers of its compensation.</summary>
    public int UndoTries { get; set; }

    public bool Residue { get; set; }

    public bool Unsettled => Happened is Happened.UnderWay or Happened.InDoubt;

    /// <summary>True when the world may be changed by it and was not set right.</summary>
    public bool MayStand => HasEffect && !Residue && !Undone && (Unsettled || Happened is Happened.Yes or Happened.Perhaps or Happened.Failed);
}

/// <summary>What the records say of a review.</summary>
internal sealed class ReviewFacts(ReviewRequested requested)
{
    public ReviewRequested Requested { get; } = requested;

    public ReviewDecided? Decided { get; set; }
}
