using System.Text.Json;
using Omium.Kernel.Executions;
using Omium.Simulation.Workflows;

namespace Omium.Simulation.Laws;

/// <summary>
/// Laws of agreement: a receiver begins only after both views of every claim are the same, as the sender's output and the world outside tell them; and
/// what verifiers must agree on goes on only with as many approvals as are needed, each given by a verifier.
/// </summary>
internal sealed partial class Chronicle
{
    private readonly Dictionary<(VisitKey From, string To), HandoffFacts> _handoffs = [];
    private readonly Dictionary<(VisitKey Key, int Attempt), VerificationFacts> _verifications = [];
    private readonly HashSet<string> _verdicts = [];

    /// <summary>True when it was one of these events.</summary>
    private bool ReadAgreement(ExecutionEvent happened)
    {
        switch (happened)
        {
            case HandoffProposed e:
                Proposed(e);
                break;
            case HandoffMeasured e:
                Measured(e);
                break;
            case HandoffAcknowledged e:
                Acknowledged(e);
                break;
            case HandoffAgreed e:
                var agreed = HandoffOf(e.Edge, e.Step, e.Visit);
                Law(!agreed.Revoked && agreed.Seen == agreed.Said, $"{agreed.Name} is agreed on with {agreed.Said} said and {agreed.Seen} seen");
                agreed.Agreed = true;
                break;
            case HandoffDisputed e:
                var disputed = HandoffOf(e.Edge, e.Step, e.Visit);
                disputed.Disputed = true;
                Law(!disputed.Agreed && disputed.Seen != disputed.Said, $"{disputed.Name} is disputed with {disputed.Said} said and {disputed.Seen} seen");
                break;
            case HandoffRepeated e:
                Law(record is DecideReview, $"{e.Step}~{e.Visit} is measured again and no person said so");
                HandoffOf(e.Edge, e.Step, e.Visit).Seen = null;
                break;
            case HandoffRevoked e:
                Law(Visit(e.Step, e.Visit).Standing == Standing.TakenBack, $"what {e.Step}~{e.Visit} handed over was revoked while it is {Visit(e.Step, e.Visit).Standing}");
                HandoffOf(e.Edge, e.Step, e.Visit).Revoked = true;
                break;
            default:
                return ReadVerification(happened);
        }

        return true;
    }

    private HandoffFacts HandoffOf(int edge, string step, int visit) =>
        _handoffs.Values.FirstOrDefault(handoff => handoff.Edge == edge && handoff.From == new VisitKey(step, visit)) ?? throw new LawBrokenException($"{Stream.Id}: nothing was handed over by {step}~{visit} on edge {edge}");

    private void Proposed(HandoffProposed e)
    {
        var sender = Visit(e.Step, e.Visit);
        var edge = Workflow.Edges.FirstOrDefault(edge => edge.Handoff is not null && edge.From == e.Step && edge.To == e.To);
        Law(edge is not null && sender.Standing == Standing.Committed, $"{sender.Key} handed over to {e.To} while it is {sender.Standing}");
        Law(sender.Output is { } output && JsonElement.DeepEquals(resolve(e.Message), output), $"{sender.Key} hands over something else than its output");
        var said = DrawnHandoff.SaidOf(resolve(e.Message), edge!.Number);
        Law(e.Claims is [{ Said.ValueKind: JsonValueKind.Number } claim] && claim.Said.GetDouble() == said, $"{sender.Key} says {e.Claims[0].Said} and its output holds {said}");
        Law(_handoffs.TryAdd((sender.Key, e.To), new HandoffFacts(e.Edge, sender.Key, e.To, edge, said)), $"{sender.Key} handed over to {e.To} twice");
    }

    /// <summary>What was seen is what the expression gives, or what the tool or the worker told.</summary>
    private void Measured(HandoffMeasured e)
    {
        var handoff = HandoffOf(e.Edge, e.Step, e.Visit);
        Law(!handoff.Agreed && !handoff.Revoked, $"{handoff.Name} was measured after it was agreed on or revoked");
        double? seen = e.Seen is { ValueKind: JsonValueKind.Number } value ? value.GetDouble() : null;
        var told = seen is { } number && handoff.Drawn.Handoff!.By switch
        {
            "tool" => world.Measured.Contains(($"{Stream.Id}/{e.Effect}", number)),
            "receiver" => record is AcknowledgeHandoff answer && world.Measured.Contains(($"{Stream.Id}/{answer.Effect}/{answer.Worker}", number)),
            _ => handoff.Drawn.Handoff.SeenOf(handoff.Said) == number,
        };
        Law(e.Failure is not null || told, $"{handoff.Name}: {seen} is on record as seen, and nobody has told it");
        handoff.Seen = e.Failure is null ? seen : null;
    }

    /// <summary>An edge that hands something over is taken by a receiver only when that is agreed on.</summary>
    private void CheckAgreed(StepScheduled e, DrawnEdge edge, VisitFacts source)
    {
        if (edge.Handoff is not null)
        {
            Law(_handoffs.GetValueOrDefault((source.Key, edge.To)) is { Agreed: true, Revoked: false }, $"{e.Step}~{e.Visit} began before it agreed with {source.Key}");
        }
    }

    /// <summary>Between records: what halts an execution halts it.</summary>
    private void CheckHalted()
    {
        if (Status == "running" && _reviews.Values.FirstOrDefault(review => review is { Decided: null, Requested.Kind: "handoff" or "verification" }) is { } open)
        {
            Law(false, $"review {open.Requested.Review} ({open.Requested.Kind}) is open and the execution is running");
        }
    }

    private bool ReadVerification(ExecutionEvent happened)
    {
        switch (happened)
        {
            case VerificationRequested e:
                Law(e.Quorum == Workflow.Step(e.Step)!.Verifiers!.Quorum, $"{e.Step}~{e.Visit} asks for {e.Quorum} approvals");
                _verifications[(new VisitKey(e.Step, e.Visit), e.Attempt)] = new VerificationFacts(e.Subject, e.ValueDigest, resolve(e.Value));
                break;
            case VerifierAnswered e:
                _ = EffectId.TryParse(e.Effect, out var id);
                Law(world.VerdictOfReason.GetValueOrDefault(e.Reason) == e.Verdict && _verdicts.Add(e.Reason), $"{e.Effect}: {e.Agent} is on record with {e.Verdict}, which it did not give for this");
                var asked = _verifications[(id.Key, id.Attempt)];
                Law(e.Late || asked.Verdicts.TryAdd(e.Agent, e.Verdict), $"{e.Agent} answered {id.Key} twice");
                break;
            case VerificationAgreed e:
                var agreed = _verifications[(new VisitKey(e.Step, e.Visit), e.Attempt)];
                var approvals = agreed.Verdicts.Values.Count(verdict => verdict == "approve");
                Law(e.By == "quorum" ? approvals >= Workflow.Step(e.Step)!.Verifiers!.Quorum : record is DecideReview { Decision: "approve" }, $"{e.Step}~{e.Visit} went on with {approvals} approvals");
                agreed.Agreed = true;
                break;
            case VerificationRepeated e:
                Law(record is DecideReview, $"the verifiers of {e.Step}~{e.Visit} are asked again and no person said so");
                _verifications[(new VisitKey(e.Step, e.Visit), e.Attempt)].Verdicts.Clear();
                break;
            default:
                return happened is VerifierFailed or VerificationRefused or VerificationSplit;
        }

        return true;
    }

    /// <summary>A step with verifiers commits what they agreed to, by the attempt they judged.</summary>
    private void CheckVerified(VisitFacts visit, StepCommitted e, JsonElement output)
    {
        var step = Workflow.Step(visit.Step)!;
        if (step.Verifiers is null || step.VerifiesArguments || e.By is not null || Expands(visit.Key))
        {
            return;
        }

        var judged = _verifications.GetValueOrDefault((visit.Key, e.Attempt));
        Law(judged is { Agreed: true, Subject: "output" } && JsonElement.DeepEquals(judged.Value, output), $"{visit.Key} was committed with an output that its verifiers did not agree to");
    }

    /// <summary>A call with verifiers is made with arguments that they agreed to.</summary>
    private void CheckVerified(VisitFacts visit, CallRequested e)
    {
        if (Workflow.Step(visit.Step)!.VerifiesArguments)
        {
            Law(_verifications.Any(known => known.Key.Key == visit.Key && known.Value is { Agreed: true, Subject: "arguments" } && known.Value.Digest == e.ArgumentsDigest),
                $"{e.Effect} was requested with arguments that its verifiers did not agree to");
        }
    }
}

/// <summary>What the records say of a handoff.</summary>
internal sealed class HandoffFacts(int edge, VisitKey from, string to, DrawnEdge drawn, double said)
{
    /// <summary>Number of its edge in the version that runs.</summary>
    public int Edge { get; set; } = edge;

    public VisitKey From { get; } = from;

    public DrawnEdge Drawn { get; } = drawn;

    public double Said { get; } = said;

    public double? Seen { get; set; }

    public bool Agreed { get; set; }

    /// <summary>True when it was disputed; the sender may be run again then, though it has not failed.</summary>
    public bool Disputed { get; set; }

    public bool Revoked { get; set; }

    public string Name => $"the handoff from {From} to {to}";
}

/// <summary>What the records say of a verification.</summary>
internal sealed class VerificationFacts(string subject, string digest, JsonElement value)
{
    public string Subject { get; } = subject;

    public string Digest { get; } = digest;

    public JsonElement Value { get; } = value;

    public Dictionary<string, string> Verdicts { get; } = [];

    public bool Agreed { get; set; }
}
