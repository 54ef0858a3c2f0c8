using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Omium.Kernel.Json;

namespace Omium.Cli.Client;

/// <summary>Listings of the API, a page after the other.</summary>
internal static class Paging
{
    private const int PageMax = 200;

    /// <summary>Up to so many items, with the cursor of what follows if there is more: the form of the API's own pages.</summary>
    public static async Task<JsonElement> PageAsync(ApiClient client, string path, int limit, CancellationToken cancellation)
    {
        var items = new List<JsonElement>();
        string? cursor = null;
        do
        {
            var page = await client.GetAsync(At(path, Math.Min(limit - items.Count, PageMax), cursor), cancellation);
            items.AddRange(page.GetProperty("items").EnumerateArray());
            cursor = page.TryGetProperty("next_cursor", out var next) ? next.GetString() : null;
        }
        while (cursor is not null && items.Count < limit);
        return JsonMake.Object(("items", JsonMake.Array(items)), ("next_cursor", cursor is null ? default : JsonMake.Text(cursor)));
    }

    /// <summary>Every item there is.</summary>
    public static async IAsyncEnumerable<JsonElement> AllAsync(ApiClient client, string path, [EnumeratorCancellation] CancellationToken cancellation)
    {
        string? cursor = null;
        do
        {
            var page = await client.GetAsync(At(path, PageMax, cursor), cancellation);
            foreach (var item in page.GetProperty("items").EnumerateArray())
            {
                yield return item;
            }

            cursor = page.TryGetProperty("next_cursor", out var next) ? next.GetString() : null;
        }
        while (cursor is not null);
    }

    private static string At(string path, int limit, string? cursor) => string.Create(
        CultureInfo.InvariantCulture, $"{path}{(path.Contains('?', StringComparison.Ordinal) ? '&' : '?')}limit={limit}{(cursor is null ? "" : $"&cursor={Uri.EscapeDataString(cursor)}")}");
}
