using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Omium.Api.Http;
using Omium.Contracts;
using Omium.Contracts.Access;
using Omium.Kernel.Json;
using Omium.Runtime.Audit;

namespace Omium.Api.Audit;

/// <summary><c>/v1/audit</c>.</summary>
internal static class AuditEndpoints
{
    /// <summary>Rows that one request looks through for those that fit; a rare one is found page by page.</summary>
    private const int ScannedMax = 10_000;
    private const int ReadAtOnce = 500;
    private static readonly string[] Columns = ["seq", "at", "action", "actor", "subject", "detail", "personal", "prev_hash", "hash"];

    public static void Map(ApiRoutes routes)
    {
        routes.Map("GET", "/v1/audit", ListAsync).As("list_audit", "The audit trail, newest first. A page may hold fewer rows than asked for, or none, and still have a next one.")
            .Query("action", "Only this action, such as key.rotated, or all of a kind, such as `key.`.").Query("actor", "Only what this user or key did.").Query("subject", "Only what was done to this.")
            .QueryTime("from", "Only what happened at or after this time.").QueryTime("to", "Only what happened before this time.").Paged()
            .Answers(ContractJson.Default.AuditPage);
        routes.Map("GET", "/v1/audit/export", ExportAsync).As("export_audit", "The whole audit trail, oldest first. JSON lines prove themselves: `omium audit verify FILE`.")
            .Query("format", "jsonl (default) or csv.", "jsonl", "csv")
            .AnswersLines(ContractJson.Default.AuditRowView, "One row a line.").Answers(200, "text/csv", "RFC 4180, with a header line.");
        routes.Map("GET", "/v1/audit/verify", VerifyAsync).As("verify_audit", "Checks every row from the first: seals, chain and hashes.").Answers(ContractJson.Default.AuditVerifyView);
    }

    private static async Task ListAsync(ApiCall call)
    {
        if (await call.TryIntegerAsync("limit", 50, 1, 200) is not { } limit || await call.TryIntegerAsync("cursor", long.MaxValue, 1, long.MaxValue) is not { } before
            || await call.TryTimeAsync("from") is not { } from || await call.TryTimeAsync("to") is not { } to)
        {
            return;
        }

        var tenant = call.Caller.Tenant;
        await call.Services.AuditSettler.SettleAsync(tenant, call.Cancellation);
        var last = Math.Min(before - 1, (await call.Services.Audit.HeadAsync(tenant, call.Cancellation)).Seq);
        var (views, oldest) = (new List<AuditRowView>(), Math.Max(0, last - ScannedMax));
        while (last > oldest && views.Count < limit)
        {
            var first = Math.Max(oldest, last - ReadAtOnce);
            var rows = await call.Services.Audit.ReadAsync(tenant, first, (int)(last - first), call.Cancellation);
            foreach (var row in rows.Reverse())
            {
                last = row.Seq - 1;
                if (Fits(call, row.Entry, from.UnixMs, to.UnixMs))
                {
                    views.Add(await ViewAsync(call, row));
                    if (views.Count == limit)
                    {
                        break;
                    }
                }
            }

            if (rows.Count == 0)
            {
                break;
            }
        }

        await call.JsonAsync(new Page<AuditRowView>(views, last > 0 ? (last + 1).ToString(CultureInfo.InvariantCulture) : null), ContractJson.Default.AuditPage);
    }

    private static bool Fits(ApiCall call, AuditEntry entry, long? fromMs, long? toMs) =>
        (call.Query("action") is not { } action || entry.Action == action || (action.EndsWith('.') && entry.Action.StartsWith(action, StringComparison.Ordinal)))
        && (call.Query("actor") is not { } actor || entry.Actor == actor) && (call.Query("subject") is not { } subject || entry.Subject == subject)
        && (fromMs is not { } from || entry.AtMs >= from) && (toMs is not { } to || entry.AtMs < to);

    private static async Task ExportAsync(ApiCall call)
    {
        if (!await call.TryWordAsync("format", "jsonl", "csv"))
        {
            return;
        }

        var (tenant, isCsv) = (call.Caller.Tenant, call.Query("format") == "csv");
        await call.Services.AuditSettler.SettleAsync(tenant, call.Cancellation);
        var entry = await call.Services.Acts.MakeAsync(tenant, "audit.exported", call.Caller.KeyId, "", Acts.Detail(("format", isCsv ? "csv" : "jsonl")), call.Origin, null, call.Cancellation);
        await call.Services.Audit.AppendAsync(tenant, entry, null, call.Cancellation);
        var response = call.Context.Response;
        response.ContentType = isCsv ? "text/csv; charset=utf-8" : "application/x-ndjson";
        response.Headers.CacheControl = "no-store";
        response.Headers.ContentDisposition = $"attachment; filename=\"audit.{(isCsv ? "csv" : "jsonl")}\"";
        if (isCsv)
        {
            await WriteAsync(call, string.Join(',', Columns) + "\r\n");
        }

        for (var seq = 0L; ;)
        {
            var rows = await call.Services.Audit.ReadAsync(tenant, seq, ReadAtOnce, call.Cancellation);
            foreach (var row in rows)
            {
                var view = await ViewAsync(call, row);
                await WriteAsync(call, isCsv ? CsvLine(view) : JsonSerializer.Serialize(view, ContractJson.Default.AuditRowView) + "\n");
                seq = row.Seq;
            }

            if (rows.Count < ReadAtOnce)
            {
                return;
            }
        }
    }

    private static async Task VerifyAsync(ApiCall call)
    {
        await call.Services.AuditSettler.SettleAsync(call.Caller.Tenant, call.Cancellation);
        var (rows, head, problem) = await call.Services.Audit.VerifyAsync(call.Caller.Tenant, call.Cancellation);
        await call.JsonAsync(new AuditVerifyView(problem is null ? "intact" : "corrupt", rows, head, problem), ContractJson.Default.AuditVerifyView);
    }

    private static async ValueTask<AuditRowView> ViewAsync(ApiCall call, AuditRow row)
    {
        var personal = new List<AuditPersonView>();
        foreach (var part in row.Entry.Personal ?? [])
        {
            personal.Add(await OpenAsync(call, part) is var (salt, data) ? new AuditPersonView(part.Person, part.Digest, salt, data) : new AuditPersonView(part.Person, part.Digest));
        }

        return new AuditRowView
        {
            Seq = row.Seq,
            Id = row.Entry.Id,
            At = DateTimeOffset.FromUnixTimeMilliseconds(row.Entry.AtMs),
            Action = row.Entry.Action,
            Actor = row.Entry.Actor,
            Subject = row.Entry.Subject,
            Detail = row.Entry.Detail,
            Personal = personal,
            PrevHash = row.PrevHash,
            Hash = row.Hash,
        };
    }

    /// <summary>A part that does not open is shown as one that cannot be read; verification tells a change from an erasure.</summary>
    private static async ValueTask<(string Salt, JsonElement Data)?> OpenAsync(ApiCall call, PersonalPart part)
    {
        try
        {
            return await call.Services.Persons.OpenAsync(call.Caller.Tenant, part, call.Cancellation);
        }
        catch (CryptographicException)
        {
            return null;
        }
    }

    private static string CsvLine(AuditRowView view) => string.Join(',', ((string[])
    [
        view.Seq.ToString(CultureInfo.InvariantCulture), view.At.ToString("O", CultureInfo.InvariantCulture), view.Action, view.Actor, view.Subject,
        view.Detail is { } detail ? Encoding.UTF8.GetString(CanonicalJson.Canonicalize(detail)) : "",
        string.Join(' ', view.Personal.Where(part => part.Data is not null).Select(part => Encoding.UTF8.GetString(CanonicalJson.Canonicalize(part.Data!.Value)))),
        view.PrevHash, view.Hash,
    ]).Select(Cell)) + "\r\n";

    /// <summary>A cell is quoted; one that a spreadsheet would take for a formula begins with an apostrophe.</summary>
    private static string Cell(string text) =>
        $"\"{(text.Length > 0 && text[0] is ('=' or '+' or '-' or '@' or '\t' or '\r') ? "'" : "")}{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";

    private static async Task WriteAsync(ApiCall call, string text) => await call.Context.Response.BodyWriter.WriteAsync(Encoding.UTF8.GetBytes(text), call.Cancellation);
}
