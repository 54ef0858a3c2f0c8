using System.Globalization;
using Omium.Api.Executions;
using Omium.Runtime.Ports;
using Omium.Runtime.Search;

namespace Omium.Api.Http;

/// <summary>
/// <c>?q=</c> of a listing. A text that begins like an execution's id is looked up as one; any other is taken apart into words, all of which must be
/// found. An execution is also found by its whole <c>start_key</c>.
/// </summary>
internal static class SearchQuery
{
    private const int LengthMax = 256;

    /// <summary>Digits that an id must have to be taken as the beginning of one: those before say only when, which finds too much.</summary>
    private const int IdDigitsMin = 12;

    private const string IdPrefix = "exe_";

    /// <summary>The query with what is searched for in it; null when it was answered with a problem.</summary>
    public static async ValueTask<IndexQuery?> TryAsync(ApiCall call, IndexQuery query)
    {
        if (call.Query("q") is not { } given)
        {
            return query;
        }

        if (!call.Services.Index.CanSearch)
        {
            await call.ProblemAsync("search_unavailable", "'q' is not served here.");
            return null;
        }

        var text = given.Trim();
        if (text.StartsWith(IdPrefix, StringComparison.Ordinal) && text.Length >= IdPrefix.Length + IdDigitsMin)
        {
            return query with { IdPrefix = text };
        }

        var words = SearchWords.Of(text, IndexQuery.TermsMax + 1);
        if (text.Length > LengthMax || words.Count is 0 or > IndexQuery.TermsMax)
        {
            await call.InvalidAsync("/q", string.Create(CultureInfo.InvariantCulture, $"'q' holds 1 to {IndexQuery.TermsMax} words of letters and digits in at most {LengthMax} characters."));
            return null;
        }

        return query with
        {
            Terms = await call.Services.Search.OfAsync(call.Caller.Tenant, query.Kind, words, call.Cancellation),
            AlsoId = query.Kind == IndexKinds.Execution ? await StartKeys.FindAsync(call, text) : null,
        };
    }
}
