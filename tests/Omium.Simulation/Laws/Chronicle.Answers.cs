using Omium.Kernel.Executions;

namespace Omium.Simulation.Laws;

/// <summary>
/// Laws of answers: each settles the question that it was asked, once, and none that was asked before or after it. An answer that comes late or twice
/// may tell the same as the right one; that it counts is wrong all the same, since the next time it does not.
/// </summary>
internal sealed partial class Chronicle
{
    /// <summary>A call has come to an end, or into doubt, by this record: by whose answer?</summary>
    private void CheckAnswer(CallFacts call)
    {
        switch (record)
        {
            case SettleTask answer when answer.Effect == call.Id.ToString():
                Law(answer.Run == call.Runs, $"{call.Id} took the answer of the worker who held it in run {answer.Run}, and run {call.Runs} is another's");
                break;
            case SettleEffect answer when EffectId.TryParse(answer.Effect, out var asked) && asked.Sub == 'v' && asked.WithoutSub == call.Id:
                Law(asked.SubNumber > call.AnsweredProbe, $"{call.Id} took the answer to question {asked.SubNumber} after that to {call.AnsweredProbe}");
                call.AnsweredProbe = asked.SubNumber;
                break;
        }
    }

    private void Acknowledged(HandoffAcknowledged e)
    {
        if (record is AcknowledgeHandoff answer && EffectId.TryParse(answer.Effect, out var asked))
        {
            Law(asked.Attempt == e.Round, $"{HandoffOf(e.Edge, e.Step, e.Visit).Name}: {answer.Worker} was asked in round {asked.Attempt}, and its answer counts in round {e.Round}");
        }
    }
}
