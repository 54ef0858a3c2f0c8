using Omium.Kernel.Executions;
using Omium.Kernel.Specs;
using Omium.Runtime.Executions;
using Omium.Runtime.Ports;

namespace Omium.Runtime.Search;

/// <summary>
/// By which words a record makes its rows found: an execution by its workflow and by what failed in it, a failure by its workflow, step, class, code
/// and message. Words of inputs and outputs are not among them (docs/decisions says why). Words are added, and stay until the execution is erased.
/// </summary>
internal static class SearchProjector
{
    private const int MessageWordsMax = 64;

    /// <summary>
    /// The rows with their terms; an execution's own row is among them whenever it gains words. A fork's failures are not found by their messages: its key is its
    /// root's, and whoever destroys that does not know the forks' rows.
    /// </summary>
    public static async ValueTask<IReadOnlyList<IndexRow>> WithTermsAsync(
        SearchTerms search, bool isFork, ExecutionState state, IReadOnlyList<IndexRow> rows, Func<IndexRow> executionRow, IReadOnlyList<ExecutionEvent> events, CancellationToken cancellation)
    {
        if (!events.Any(happened => happened is ExecutionStarted or ExecutionForked or StepFailed or HandoffDisputed))
        {
            return rows;
        }

        var ofExecution = new List<string>();
        var ofFailures = new Dictionary<string, string[]>(StringComparer.Ordinal);
        foreach (var happened in events)
        {
            switch (happened)
            {
                case ExecutionStarted or ExecutionForked:
                    ofExecution.Add(state.Workflow);
                    break;
                case StepFailed e when rows.Any(row => row.Id == FailureLedger.FailureId(state.ExecutionId, e.Step, e.Visit, e.Attempt)):
                    Note(FailureLedger.FailureId(state.ExecutionId, e.Step, e.Visit, e.Attempt), e.Step, e.Class, e.Code, isFork ? "" : e.Message);
                    break;
                case HandoffDisputed e:
                    Note(FailureLedger.DisputeId(state.ExecutionId, e), e.Step, FailureClasses.HandoffDisputed, e.Code, "");
                    break;
            }
        }

        if (ofExecution.Count == 0)
        {
            return rows;
        }

        IndexRow[] all = rows.Any(row => row.Kind == IndexKinds.Execution) ? [.. rows] : [executionRow(), .. rows];
        for (var place = 0; place < all.Length; place++)
        {
            var row = all[place];
            var texts = row.Kind == IndexKinds.Execution ? [.. ofExecution] : ofFailures.GetValueOrDefault(row.Id);
            if (texts is not null)
            {
                var words = texts.SelectMany(text => SearchWords.Of(text, MessageWordsMax)).Distinct().ToArray();
                all[place] = row with { Terms = await search.OfAsync(state.Tenant, row.Kind, words, cancellation) };
            }
        }

        return all;

        void Note(string id, params string[] texts)
        {
            ofExecution.AddRange(texts);
            ofFailures[id] = [state.Workflow, .. texts];
        }
    }
}
